/*
 * base/shortcut.h: the off switch of what is done for speed alone.
 *
 * CRUN_LITE_WITHOUT in the environment names shortcuts, separated by commas, that are not to be taken; "all" names all of them.
 * A container comes out the same either way, only later: for tests, and for hosts on which one of them misbehaves.
 *
 * Runs in: the CLI process.
 */
#ifndef CRUN_LITE_BASE_SHORTCUT_H
#define CRUN_LITE_BASE_SHORTCUT_H

#include <stdbool.h>

#define SHORTCUT_NETWORK "network"         /* the network namespace is made by the creator while init mounts */
#define SHORTCUT_EARLY_START "early-start" /* `run` does not wait for init before it lets it go on */
#define SHORTCUT_NO_ESCORT "no-escort"     /* `exec` clones the program's process itself */
#define SHORTCUT_SHARED_DEVICES "shared-devices" /* containers with the same device rules have one device program */

bool shortcut_permitted(const char *name);

#endif
