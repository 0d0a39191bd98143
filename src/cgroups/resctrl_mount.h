/*
 * cgroups/resctrl_mount.h: where resctrl is mounted.  resctrl_find itself is in the front header.
 *
 * Runs in host side processes.
 */
#ifndef CRUN_LITE_CGROUPS_RESCTRL_MOUNT_H
#define CRUN_LITE_CGROUPS_RESCTRL_MOUNT_H

#define RESCTRL_PLACE "/sys/fs/resctrl"

/* The mount point of one line of mountinfo (without its newline), decoded in place; NULL when it is no resctrl:
 * "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS… - TYPE SOURCE OPTIONS".  Pure. */
char *resctrl_mount_of_line(char *line);

#endif
