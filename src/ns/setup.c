/* ns/setup.c: first settings inside new namespaces: names and the loopback device.  Runs in init. */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "ns/ns.h"

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
