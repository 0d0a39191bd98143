/*
 * process/lsm.c: AppArmor profile and SELinux label of the container's process.
 *
 * A label is asked for as a boundary, so one that cannot be applied is a failure, never a warning (AA-02,
 * SEL-02).  All writes go through the private procfs handle (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881,
 * CVE-2025-62596: a label write swallowed by something the container had mounted there).
 *
 * Runs in: creator (lsm_check), init and joiner (the writes).
 */
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/text.h"

#define LABEL_MAX 4096 /* the kernel takes at most one page */

bool lsm_apparmor_enabled(void)
{
    char answer[8];
    return file_read_line_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", answer, sizeof(answer)) > 0 &&
           answer[0] == 'Y';
}

bool lsm_selinux_enabled(void)
{
    struct statfs filesystem;
    return statfs("/sys/fs/selinux", &filesystem) == 0 && filesystem.f_type == SELINUX_MAGIC;
}

static bool wanted(const char *label)
{
    return label && label[0];
}

static bool wants_profile(const struct spec_process *process)
{
    return wanted(process->apparmor_profile) && !text_equal(process->apparmor_profile, "unconfined");
}

static int check_length(const char *label, const char *pointer, struct failure *why)
{
    if (wanted(label) && strlen(label) > LABEL_MAX - sizeof("exec "))
        return fail_config(why, pointer, "a label of %zu bytes is longer than the kernel takes, which are %zu", strlen(label),
                           LABEL_MAX - sizeof("exec "));
    return 0;
}

static int refuse(struct failure *why, const char *pointer, const char *what, const char *label, const char *module)
{
    char shown[128];
    text_sanitize(shown, sizeof(shown), label);
    fail(why, FAILURE_HOST, "%s '%s' cannot be applied: %s is not enabled on this host", what, shown, module);
    failure_pointer(why, "%s", pointer);
    return failure_hint(why, "boot with security=%s or leave the label out",
                        module[0] == 'A' ? "apparmor" : "selinux");
}

static int check_profile(const struct spec_process *process, struct failure *why)
{
    if (check_length(process->apparmor_profile, "/process/apparmorProfile", why) < 0)
        return -1;
    if (wants_profile(process) && !lsm_apparmor_enabled())
        return refuse(why, "/process/apparmorProfile", "profile", process->apparmor_profile, "AppArmor");
    return 0;
}

static int check_label(const char *label, const char *pointer, struct failure *why)
{
    if (check_length(label, pointer, why) < 0)
        return -1;
    return wanted(label) && !lsm_selinux_enabled() ? refuse(why, pointer, "label", label, "SELinux") : 0;
}

int lsm_check_all(const struct spec_process *process, const char *mount_label, struct findings *findings)
{
    if (found(findings, check_profile(process, findings->why)) < 0 ||
        found(findings, check_label(process->selinux_label, "/process/selinuxLabel", findings->why)) < 0)
        return -1;
    return found(findings, check_label(mount_label, "/linux/mountLabel", findings->why));
}

int lsm_check(const struct spec_process *process, const char *mount_label, struct failure *why)
{
    struct findings first = FINDINGS_FIRST(why);
    return lsm_check_all(process, mount_label, &first);
}

int lsm_set_key_label(int proc_fd, const struct spec_process *process, struct failure *why)
{
    if (!wanted(process->selinux_label))
        return 0;
    int result = proc_write(proc_fd, "self/attr/keycreate", process->selinux_label);
    return result < 0 ? fail_errno(why, result, "set the label of the session keyring") : 0;
}

/* Where several security modules are active, attr/exec belongs to the first of them; AppArmor has its own
 * directory since KERNEL(5.8). */
static int write_profile(int proc_fd, const char *text)
{
    int result = proc_write(proc_fd, "self/attr/apparmor/exec", text);
    return result == -ENOENT ? proc_write(proc_fd, "self/attr/exec", text) : result;
}

/* "unconfined" where we are that already needs no write, and no AppArmor at all is unconfined too (AA-03). */
static bool unconfined_now(int proc_fd)
{
    char label[256];
    ssize_t length = proc_read(proc_fd, "self/attr/apparmor/current", label, sizeof(label));
    if (length == -ENOENT)
        length = proc_read(proc_fd, "self/attr/current", label, sizeof(label));
    return length >= 0 ? text_equal(label, "unconfined") : !lsm_apparmor_enabled();
}

static int set_profile(int proc_fd, const char *profile, struct failure *why)
{
    char text[LABEL_MAX];
    int length = snprintf(text, sizeof(text), "exec %s", profile);
    if (length < 0 || (size_t)length >= sizeof(text))
        return fail_config(why, "/process/apparmorProfile", "the profile's name is longer than the kernel takes");
    int result = write_profile(proc_fd, text);
    if (result == 0)
        return 0;
    char shown[128];
    text_sanitize(shown, sizeof(shown), profile);
    fail_errno(why, result, "set AppArmor profile '%s'", shown);
    failure_pointer(why, "/process/apparmorProfile");
    if (result == -ENOENT)
        return failure_hint(why, "the profile is not loaded: load it with apparmor_parser --replace FILE");
    return -1;
}

int lsm_set_exec_labels(int proc_fd, const struct spec_process *process, struct failure *why)
{
    if (wanted(process->selinux_label)) {
        int result = proc_write(proc_fd, "self/attr/exec", process->selinux_label);
        if (result < 0) {
            fail_errno(why, result, "set SELinux label '%.200s'", process->selinux_label);
            return failure_pointer(why, "/process/selinuxLabel");
        }
    }
    if (!wanted(process->apparmor_profile))
        return 0;
    if (!wants_profile(process) && unconfined_now(proc_fd))
        return 0;
    return set_profile(proc_fd, process->apparmor_profile, why);
}
