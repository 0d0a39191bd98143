/* ns/setup.c: first settings inside new namespaces: names and the loopback device.  Runs in init; the check of names in the creator. */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "ns/ns.h"

static int check_name(const char *wanted, const char *present, const char *member, struct failure *why)
{
    if (wanted == NULL || text_equal(wanted, present))
        return 0;
    fail_config(why, member, "%s '%s' needs a uts namespace other than the host's, or it would change the host", member + 1, wanted);
    return failure_hint(why, "leave the path of the uts namespace in /linux/namespaces out, or the name");
}

int ns_check_names(const struct ns_plan *plan, const char *hostname, const char *domainname, struct failure *why)
{
    struct utsname host;
    if ((hostname == NULL && domainname == NULL) || !ns_is_of_the_host(plan, NS_UTS))
        return 0;
    if (uname(&host) < 0)
        return fail_sys(why, "read the names of the host");
    return check_name(hostname, host.nodename, "/hostname", why) < 0 ? -1 : check_name(domainname, host.domainname, "/domainname", why);
}

int ns_set_names(const char *hostname, const char *domainname, struct failure *why)
{
    if (hostname != NULL && sethostname(hostname, strlen(hostname)) < 0) {
        fail_sys(why, "set hostname '%s'", hostname);
        return failure_pointer(why, "/hostname");
    }
    if (domainname != NULL && setdomainname(domainname, strlen(domainname)) < 0) {
        fail_sys(why, "set domainname '%s'", domainname);
        return failure_pointer(why, "/domainname");
    }
    return 0;
}

int ns_loopback_up(struct failure *why)
{
    CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return fail_sys(why, "bring up the loopback device of the network namespace");
    return 0;
}
