/* Identity and capabilities as the kernel shows them afterwards (USR-*, CAP-*).  Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "process/process.h"
#include "process_check.h"

#define WORDS(...)                                                                                                     \
    {                                                                                                                  \
        (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)                                      \
    }
#define CHOWN (char[]){"CAP_CHOWN"}
#define KILL (char[]){"CAP_KILL"}
#define BIND (char[]){"CAP_NET_BIND_SERVICE"}
#define ADMIN (char[]){"CAP_SYS_ADMIN"}

static struct failure why;

static struct caps_plan plan_of(const struct spec_capabilities *capabilities)
{
    struct caps_plan plan;
    caps_plan(capabilities, &plan);
    return plan;
}

static void dress(const struct spec_capabilities *capabilities, const struct spec_user *user)
{
    struct caps_plan plan = plan_of(capabilities);
    CHECK_DONE(caps_drop_bounding(&plan, &why));
    CHECK_DONE(identity_take(user, IDENTITY_GROUPS_SET, &why));
    CHECK_DONE(caps_settle(&plan, &why));
}

static void five_sets_exactly(void)
{
    const struct spec_capabilities want = {
        .set = true,
        .bounding = WORDS(CHOWN, KILL, BIND),
        .permitted = WORDS(CHOWN, BIND),
        .effective = WORDS(CHOWN),
        .inheritable = WORDS(BIND, KILL),
        .ambient = WORDS(BIND),
    };
    const struct spec_user user = {.uid = 4711, .gid = 4712};
    dress(&want, &user);
    CHECK_STATUS("CapBnd", "0000000000000421");
    CHECK_STATUS("CapPrm", "0000000000000401");
    CHECK_STATUS("CapEff", "0000000000000001");
    CHECK_STATUS("CapInh", "0000000000000420");
    CHECK_STATUS("CapAmb", "0000000000000400");
    CHECK_STATUS("Uid", "4711\t4711\t4711\t4711");
    CHECK_STATUS("Gid", "4712\t4712\t4712\t4712");
    CHECK_STATUS("Groups", "");
    CHECK_STATUS("NoNewPrivs", "0");
    CHECK(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 0);
}

static void absent_means_none(void)
{
    const struct spec_capabilities want = {.set = false};
    const struct spec_user user = {.uid = 0, .gid = 0};
    dress(&want, &user);
    CHECK_STATUS("CapBnd", "0000000000000000");
    CHECK_STATUS("CapPrm", "0000000000000000");
    CHECK_STATUS("CapEff", "0000000000000000");
    CHECK_STATUS("CapInh", "0000000000000000");
    CHECK_STATUS("CapAmb", "0000000000000000");
}

/* The caller's ambient set stays outside, also where permitted and inheritable would let it live on. */
static void ambient_of_caller_is_emptied(void)
{
    const struct spec_capabilities all_but_ambient = {
        .set = true, .bounding = WORDS(BIND), .permitted = WORDS(BIND), .effective = WORDS(BIND), .inheritable = WORDS(BIND)};
    struct spec_capabilities with_ambient = all_but_ambient;
    with_ambient.ambient = (struct strings)WORDS(BIND);
    struct caps_plan first = plan_of(&with_ambient), second = plan_of(&all_but_ambient);
    CHECK_DONE(caps_settle(&first, &why));
    CHECK_STATUS("CapAmb", "0000000000000400");
    CHECK_DONE(caps_settle(&second, &why));
    CHECK_STATUS("CapAmb", "0000000000000000");
}

static void ungrantable_is_a_warning(void)
{
    char text[4096];
    struct caps_plan none = {0};
    const struct spec_capabilities want = {.set = true, .bounding = WORDS(CHOWN), .permitted = WORDS(CHOWN),
                                           .effective = WORDS(CHOWN, KILL), .ambient = WORDS(CHOWN)};
    char path[] = "/tmp/crun-lite-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_DONE(log_open(path, &why));
    log_set(LOG_TEXT, LOG_WARNING);
    CHECK_DONE(caps_settle(&none, &why));
    struct caps_plan plan = plan_of(&want);
    CHECK_DONE(caps_settle(&plan, &why)); /* nothing is permitted any more */
    ssize_t length = read(fd, text, sizeof(text) - 1);
    (void)unlink(path); /* in /tmp */
    CHECK(length > 0);
    text[length] = '\0';
    CHECK_TEXT(text, "/process/capabilities/permitted: CAP_CHOWN cannot be granted");
    CHECK_TEXT(text, "/process/capabilities/effective: CAP_CHOWN CAP_KILL cannot be granted");
    CHECK_TEXT(text, "/process/capabilities/ambient: CAP_CHOWN cannot be granted");
}

static void filter_stage_keeps_admin(void)
{
    const struct spec_capabilities want = {.set = true, .bounding = WORDS(CHOWN, KILL), .permitted = WORDS(CHOWN),
                                           .effective = WORDS(CHOWN), .inheritable = WORDS(KILL)};
    const struct spec_user user = {.uid = 1234, .gid = 1234};
    struct caps_plan plan = plan_of(&want);
    CHECK_DONE(caps_drop_bounding(&plan, &why));
    CHECK_DONE(identity_take(&user, IDENTITY_GROUPS_SET, &why));
    CHECK_STATUS("CapEff", "0000000000000000"); /* the kernel, at the change of user */
    CHECK_DONE(caps_keep_for_filter(&plan, &why));
    CHECK_STATUS("CapEff", "0000000000200001");
    CHECK_STATUS("CapInh", "0000000000000020");
    CHECK_DONE(caps_settle(&plan, &why));
    CHECK_STATUS("CapPrm", "0000000000000001");
    CHECK_STATUS("CapInh", "0000000000000020");
}

static void bounding_that_cannot_be_cut_is_a_failure(void)
{
    struct caps_plan none = {0};
    CHECK_DONE(caps_settle(&none, &why)); /* no CAP_SETPCAP any more */
    CHECK(caps_drop_bounding(&none, &why) < 0);
    CHECK(why.errnum == EPERM);
    CHECK_TEXT(why.text, "drop CAP_CHOWN from the bounding set");
    CHECK_TEXT(why.hint, "CAP_SETPCAP");
}

static void groups_are_exact(void)
{
    uint32_t gids[] = {7, 70007};
    const struct spec_user user = {.uid = 10, .gid = 20, .additional_gids = gids, .additional_gids_count = 2,
                                   .additional_gids_set = true, .umask = {true, 0027}};
    CHECK(setgroups(3, (gid_t[]){1, 2, 3}) == 0);
    (void)umask(0022);
    CHECK_DONE(identity_take(&user, IDENTITY_GROUPS_SET, &why));
    CHECK_STATUS("Groups", "7 70007");
    CHECK_STATUS("Umask", "0027");
}

static void groups_absent_are_emptied(void)
{
    const struct spec_user user = {.uid = 10, .gid = 20};
    CHECK(setgroups(3, (gid_t[]){1, 2, 3}) == 0);
    (void)umask(0007);
    CHECK_DONE(identity_take(&user, IDENTITY_GROUPS_SET, &why));
    CHECK_STATUS("Groups", "");
    CHECK_STATUS("Umask", "0007"); /* USR-05: the caller's */
}

static void groups_can_be_kept(void)
{
    const struct spec_user user = {.uid = 10, .gid = 20};
    CHECK(setgroups(3, (gid_t[]){1, 2, 3}) == 0);
    CHECK_DONE(identity_take(&user, IDENTITY_GROUPS_KEEP, &why));
    CHECK_STATUS("Groups", "1 2 3");
}

static void write_map(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void unmapped_id_is_explained(void)
{
    const struct spec_user user = {.uid = 70000, .gid = 0};
    CHECK(unshare(CLONE_NEWUSER) == 0);
    write_map("/proc/self/setgroups", "deny");
    write_map("/proc/self/uid_map", "0 0 1");
    write_map("/proc/self/gid_map", "0 0 1");
    CHECK(identity_take(&user, IDENTITY_GROUPS_SET, &why) < 0); /* denied here */
    CHECK(why.errnum == EPERM && strcmp(why.pointer, "/process/user/additionalGids") == 0);
    CHECK(identity_take(&user, IDENTITY_GROUPS_DENIED, &why) < 0);
    CHECK(why.errnum == EINVAL && strcmp(why.pointer, "/process/user/uid") == 0);
    CHECK_TEXT(why.text, "become user 70000");
    CHECK_TEXT(why.hint, "/linux/uidMappings");
}

int main(void)
{
    static const struct effect_case cases[] = {
        {"five sets exactly", five_sets_exactly},
        {"absent means none", absent_means_none},
        {"ambient of the caller is emptied", ambient_of_caller_is_emptied},
        {"ungrantable is a warning", ungrantable_is_a_warning},
        {"the filter stage keeps CAP_SYS_ADMIN", filter_stage_keeps_admin},
        {"a bounding set that cannot be cut is a failure", bounding_that_cannot_be_cut_is_a_failure},
        {"groups are exact", groups_are_exact},
        {"absent groups are emptied", groups_absent_are_emptied},
        {"groups can be kept", groups_can_be_kept},
        {"an unmapped id is explained", unmapped_id_is_explained},
    };
    if (geteuid() != 0)
        return skip_program("needs root");
    return run_cases(cases, ARRAY_LENGTH(cases)) > 0;
}
