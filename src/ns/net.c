/*
 * ns/net.c: network devices that go from the creator's network namespace into the container's.
 *
 * Runs in the creator, which stays where it is: it speaks through a routing socket of its own namespace and one of the
 * container's.  One RTM_NEWLINK moves and renames; the kernel checks before it touches the device, so a refused move leaves
 * it as it was.  The kernel keeps what belongs to the device (hardware address, MTU, alias, queue length) and
 * drops what belongs to a namespace: it is down afterwards and without addresses, which are given to it again.
 *
 * Others may be in the container's network namespace, a pod's for one, with every right over its devices: they can rename ours and
 * give its name to theirs.  There a device is known by the number that this file chose for it, and it comes back
 * only as the device that went in: what stood under a name would be brought into the host's namespace and given the host's addresses.
 *
 * Until the container is created the descriptors here keep its network namespace alive, whoever died: a virtual
 * device would vanish with it, and nothing could be taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "ns/flags.h"
#include "ns/netlink.h"
#include "ns/ns.h"

/* What the user may choose of an address; all else in its flags is the kernel's state of it. */
#define KEPT_FLAGS (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)
#define LIST_TRIES 10
#define TEMPLATE_MAX 10000
#define NUMBER_TRIES 30
#define HARDWARE_ADDRESS_MAX 32 /* the kernel's MAX_ADDR_LEN */

/* As the kernel described it: the header, and the attributes that are given back one by one. */
struct address {
    struct ifaddrmsg head;
    uint32_t flags;
    struct {
        uint16_t type, size;
        char data[32];
    } attributes[8];
    size_t attributes_count;
};

struct link {
    int index;
    unsigned flags;
    unsigned short type;
    uint32_t master;
    uint32_t parent;          /* number of what it hangs on: a veth's other end, a macvlan's lower device; 0: nothing */
    int32_t parent_namespace; /* the kernel's number for that one's namespace, -1: the same */
    char name[IFNAMSIZ];
    char kind[16]; /* "veth"; "" of a physical device */
    unsigned char address[HARDWARE_ADDRESS_MAX];
    size_t address_size;
};

struct device {
    const struct spec_net_device *spec;
    char pointer[96]; /* "/linux/netDevices/eth0" */
    struct link before; /* on the host */
    struct address *addresses;
    size_t addresses_count;
    bool inside;
    struct link there; /* as it came in */
};

struct ns_devices {
    struct arena *arena;
    struct netlink host, container;
    int host_namespace, container_namespace;
    struct device *items;
    size_t count;
};

/* ---- links ---- */

struct link_reading {
    const struct mnl *mnl;
    struct link *link;
};

static int keep_kind(const struct nlattr *attribute, void *arg)
{
    const struct link_reading *reading = arg;
    struct link *link = reading->link;
    if (reading->mnl->attr_type(attribute) == IFLA_INFO_KIND)
        snprintf(link->kind, sizeof(link->kind), "%.*s", (int)reading->mnl->attr_length(attribute),
                 (const char *)reading->mnl->attr_payload(attribute));
    return MNL_CB_OK;
}

static int keep_link(const struct nlattr *attribute, void *arg)
{
    struct link_reading *reading = arg;
    struct link *link = reading->link;
    const void *data = reading->mnl->attr_payload(attribute);
    size_t size = reading->mnl->attr_length(attribute);
    uint16_t type = reading->mnl->attr_type(attribute);
    if (type == IFLA_IFNAME)
        snprintf(link->name, sizeof(link->name), "%.*s", (int)size, (const char *)data);
    else if (type == IFLA_MASTER && size == sizeof(link->master))
        memcpy(&link->master, data, size);
    else if (type == IFLA_LINK && size == sizeof(link->parent))
        memcpy(&link->parent, data, size);
    else if (type == IFLA_LINK_NETNSID && size == sizeof(link->parent_namespace))
        memcpy(&link->parent_namespace, data, size);
    else if (type == IFLA_LINKINFO)
        return reading->mnl->attr_parse_nested(attribute, keep_kind, reading);
    else if (type == IFLA_ADDRESS && size <= sizeof(link->address)) {
        memcpy(link->address, data, size);
        link->address_size = size;
    }
    return MNL_CB_OK;
}

static int read_link(const struct mnl *mnl, const struct nlmsghdr *message, void *arg)
{
    struct link_reading reading = {mnl, arg};
    struct ifinfomsg head;
    if (message->nlmsg_type != RTM_NEWLINK || mnl->payload_length(message) < sizeof(head))
        return -EBADMSG;
    memcpy(&head, mnl->payload(message), sizeof(head));
    *reading.link = (struct link){.index = head.ifi_index, .flags = head.ifi_flags, .type = head.ifi_type, .parent_namespace = -1};
    return mnl->attr_parse(message, sizeof(head), keep_link, &reading) < 0 ? -EBADMSG : 0;
}

/* By `name`, or by `index` when it is NULL.  -ENODEV: there is none. */
static int find_link(struct netlink *netlink, const char *name, int index, struct link *ret_link)
{
    struct netlink_request request;
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = name == NULL ? index : 0};
    netlink_begin(netlink, &request, RTM_GETLINK, &head, sizeof(head));
    if (name != NULL)
        netlink_add_text(&request, IFLA_IFNAME, name);
    netlink_add_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return netlink_ask(netlink, &request, read_link, ret_link);
}

/* What stays the same when a device changes its namespace. */
static bool is_alike(const struct link *one, const struct link *other)
{
    return one->type == other->type && text_equal(one->kind, other->kind) && one->address_size == other->address_size &&
           memcmp(one->address, other->address, one->address_size) == 0;
}

/* One RTM_NEWLINK for the device `index`. */
static void begin_change(struct netlink *netlink, struct netlink_request *request, int index, unsigned flags)
{
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = flags};
    netlink_begin(netlink, request, RTM_NEWLINK, &head, sizeof(head));
}

static int bring_up(struct netlink *netlink, int index)
{
    struct netlink_request request;
    begin_change(netlink, &request, index, IFF_UP);
    return netlink_ask(netlink, &request, NULL, NULL);
}

static int rename_link(struct netlink *netlink, int index, const char *name)
{
    struct netlink_request request;
    begin_change(netlink, &request, index, 0);
    netlink_add_text(&request, IFLA_IFNAME, name);
    return netlink_ask(netlink, &request, NULL, NULL);
}

/* To another namespace under `name`, with the number `wanted` or, where that is taken, one that is free.  The number is asked for, so
 * that *ret_index is the device's whatever happens to its name; it is set after a refusal too, because the kernel renames behind
 * the move. */
static int send_link(struct netlink *netlink, int index, int target_namespace, const char *name, int wanted, int *ret_index)
{
    int r = -EBUSY;
    for (unsigned i = 0; i < NUMBER_TRIES && r == -EBUSY; i++) {
        struct netlink_request request;
        *ret_index = i == 0 ? wanted : (int)(((unsigned)wanted + (1u << (i - 1))) & INT_MAX);
        if (*ret_index == 0)
            continue;
        begin_change(netlink, &request, index, 0);
        netlink_add_u32(&request, IFLA_NET_NS_FD, (uint32_t)target_namespace);
        netlink_add_text(&request, IFLA_IFNAME, name);
        netlink_add_u32(&request, IFLA_NEW_IFINDEX, (uint32_t)*ret_index); /* Linux 5.13 */
        r = netlink_ask(netlink, &request, NULL, NULL);
    }
    return r;
}

/* ---- addresses ---- */

struct address_list {
    struct arena *arena;
    int index;
    struct address *items;
    size_t count, room;
};

struct address_reading {
    const struct mnl *mnl;
    struct address *address;
    int result;
};

static bool is_given_back(unsigned type)
{
    return type == IFA_ADDRESS || type == IFA_LOCAL || type == IFA_BROADCAST || type == IFA_LABEL || type == IFA_CACHEINFO ||
           type == IFA_RT_PRIORITY || type == IFA_PROTO;
}

static int keep_address(const struct nlattr *attribute, void *arg)
{
    struct address_reading *reading = arg;
    struct address *address = reading->address;
    uint16_t type = reading->mnl->attr_type(attribute);
    size_t size = reading->mnl->attr_length(attribute), i = address->attributes_count;
    const void *data = reading->mnl->attr_payload(attribute);
    if (type == IFA_FLAGS && size == sizeof(address->flags))
        memcpy(&address->flags, data, size);
    if (!is_given_back(type))
        return MNL_CB_OK;
    if (i == ARRAY_LENGTH(address->attributes) || size > sizeof(address->attributes[i].data)) {
        reading->result = -EMSGSIZE;
        return MNL_CB_STOP;
    }
    address->attributes[i].type = type;
    address->attributes[i].size = (uint16_t)size;
    memcpy(address->attributes[i].data, data, size);
    address->attributes_count++;
    return MNL_CB_OK;
}

static int read_address(const struct mnl *mnl, const struct nlmsghdr *message, void *arg)
{
    struct address_list *list = arg;
    struct address address = {0};
    struct address_reading reading = {mnl, &address, 0};
    if (message->nlmsg_type != RTM_NEWADDR || mnl->payload_length(message) < sizeof(address.head))
        return -EBADMSG;
    memcpy(&address.head, mnl->payload(message), sizeof(address.head));
    address.flags = address.head.ifa_flags;
    if ((int)address.head.ifa_index != list->index || address.head.ifa_scope != RT_SCOPE_UNIVERSE)
        return 0;
    if (mnl->attr_parse(message, sizeof(address.head), keep_address, &reading) < 0)
        return -EBADMSG;
    if (reading.result < 0 || !(address.flags & IFA_F_PERMANENT))
        return reading.result;
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 4;
        list->items = arena_grow(list->arena, list->items, list->count, list->room, sizeof(*list->items));
    }
    list->items[list->count++] = address;
    return 0;
}

/* Every family's permanent addresses of global scope; in the kernel's order, which says who is secondary. */
static int list_addresses(struct ns_devices *devices, struct device *device)
{
    int r = -EINTR;
    for (unsigned i = 0; i < LIST_TRIES && r == -EINTR; i++) {
        struct netlink_request request;
        struct ifaddrmsg head = {.ifa_family = AF_UNSPEC, .ifa_index = (uint32_t)device->before.index};
        struct address_list list = {.arena = devices->arena, .index = device->before.index};
        netlink_begin(&devices->host, &request, RTM_GETADDR, &head, sizeof(head));
        r = netlink_list(&devices->host, &request, read_address, &list);
        device->addresses = list.items;
        device->addresses_count = list.count;
    }
    return r;
}

/* A label begins with the device's name, and follows it. */
static void add_label(struct netlink_request *request, const char *label, const char *old_name, const char *name)
{
    char renamed[2 * IFNAMSIZ];
    if (!text_starts(label, old_name)) {
        netlink_add_text(request, IFA_LABEL, label);
        return;
    }
    snprintf(renamed, sizeof(renamed), "%s%s", name, label + strlen(old_name));
    if (strlen(renamed) < IFNAMSIZ) /* else the kernel takes the name alone */
        netlink_add_text(request, IFA_LABEL, renamed);
}

static int give_address(struct netlink *netlink, const struct device *device, const struct address *address, int index, const char *name)
{
    struct netlink_request request;
    struct ifaddrmsg head = address->head;
    uint32_t flags = address->flags & KEPT_FLAGS;
    /* It was found to be nobody else's on this link before: it need not be without use for a second once more. */
    if (head.ifa_family == AF_INET6 && !(address->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_OPTIMISTIC)))
        flags |= IFA_F_NODAD;
    head.ifa_index = (uint32_t)index;
    head.ifa_flags = (uint8_t)flags;
    netlink_begin(netlink, &request, RTM_NEWADDR, &head, sizeof(head));
    netlink_add_u32(&request, IFA_FLAGS, flags);
    for (size_t i = 0; i < address->attributes_count; i++) {
        const char *data = address->attributes[i].data;
        size_t size = address->attributes[i].size;
        if (address->attributes[i].type != IFA_LABEL)
            netlink_add(&request, address->attributes[i].type, data, size);
        else if (memchr(data, '\0', size) != NULL)
            add_label(&request, data, device->before.name, name);
    }
    return netlink_ask(netlink, &request, NULL, NULL);
}

static int give_addresses(struct netlink *netlink, const struct device *device, int index, const char *name)
{
    for (size_t i = 0; i < device->addresses_count; i++) {
        int r = give_address(netlink, device, &device->addresses[i], index, name);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* ---- before anything exists ---- */

static int refuse_privilege(struct failure *why, int errnum, const char *complaint, const struct device *device)
{
    fail_errno(why, errnum, "move network device '%s'%s", device->spec->host_name, complaint);
    failure_hint(why, "moving needs CAP_NET_ADMIN in the runtime's network namespace and in the container's, and CAP_SYS_ADMIN: run as root");
    return failure_pointer(why, "%s", device->pointer);
}

static int look_at(struct ns_devices *devices, struct device *device, struct failure *why)
{
    const char *name = device->spec->host_name;
    int r = find_link(&devices->host, name, 0, &device->before);
    if (r == -ENODEV) {
        fail_config(why, device->pointer, "there is no network device '%s' in the runtime's network namespace", name);
        return failure_hint(why, "`ip link` lists the devices that are there");
    }
    if (r < 0) {
        fail_errno(why, r, "look at network device '%s'%s", name, devices->host.complaint);
        return failure_pointer(why, "%s", device->pointer);
    }
    if (device->before.flags & IFF_LOOPBACK) {
        fail_config(why, device->pointer, "'%s' is the loopback device, which stays in its network namespace", name);
        return failure_hint(why, "a new network namespace has its own, already up");
    }
    if (!text_equal(device->before.name, name)) {
        fail_config(why, device->pointer, "'%s' is an alternative name of network device '%s'", name, device->before.name);
        return failure_hint(why, "list it by its name");
    }
    return 0;
}

/* A change that changes nothing tells whether we may make one. */
static int check_privilege(struct ns_devices *devices, struct failure *why)
{
    struct netlink_request request;
    begin_change(&devices->host, &request, devices->items[0].before.index, 0);
    int r = netlink_ask(&devices->host, &request, NULL, NULL);
    return r < 0 ? refuse_privilege(why, r, devices->host.complaint, &devices->items[0]) : 0;
}

static const struct ns_joined *joined_network(const struct ns_plan *plan)
{
    for (size_t i = 0; i < plan->joined_count; i++)
        if (plan->joined[i].type == NS_NETWORK)
            return &plan->joined[i];
    return NULL;
}

static int open_host(struct ns_devices *devices, const struct mnl *mnl, struct failure *why)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    devices->host_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || devices->host_namespace < 0) {
        fail_sys(why, "open a routing socket of the runtime's network namespace");
        fd_close(&fd);
        return failure_pointer(why, "/linux/netDevices");
    }
    int r = netlink_init(&devices->host, mnl, &fd);
    return r < 0 ? fail_errno(why, r, "set up a routing socket") : 0;
}

int ns_devices_open(const struct ns_plan *plan, struct arena *arena, struct ns_devices **ret_devices, struct failure *why)
{
    const struct spec_linux *linux = plan->linux;
    const struct ns_joined *joined = joined_network(plan);
    const struct mnl *mnl;
    *ret_devices = NULL;
    if (linux->net_devices_count == 0)
        return 0;
    if (joined != NULL && joined->own) {
        fail_config(why, "/linux/netDevices", "the network namespace '%s' is the runtime's own: there is nothing to move", joined->path);
        return failure_hint(why, "give the container a network namespace of its own");
    }
    if (mnl_load(&mnl, why) < 0)
        return -1;
    struct ns_devices *devices = arena_alloc(arena, sizeof(*devices));
    *devices = (struct ns_devices){.arena = arena, .host.fd = -1, .container.fd = -1, .host_namespace = -1, .container_namespace = -1};
    *ret_devices = devices;
    devices->items = arena_alloc(arena, linux->net_devices_count * sizeof(*devices->items));
    if (open_host(devices, mnl, why) < 0)
        return -1;
    for (size_t i = 0; i < linux->net_devices_count; i++) {
        struct device *device = &devices->items[i];
        char token[POINTER_TOKEN_SIZE];
        device->spec = &linux->net_devices[i];
        text_pointer_token(token, device->spec->host_name, strlen(device->spec->host_name));
        snprintf(device->pointer, sizeof(device->pointer), "/linux/netDevices/%s", token);
        devices->count++;
        if (look_at(devices, device, why) < 0)
            return -1;
    }
    return check_privilege(devices, why);
}

/* ---- there ---- */

static int open_container(struct ns_devices *devices, const struct ns_plan *plan, pid_t init, struct failure *why)
{
    const struct ns_joined *joined = joined_network(plan);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)init);
    devices->container_namespace = joined != NULL ? fd_duplicate(joined->fd, 3) : open(path, O_RDONLY | O_CLOEXEC);
    int fd = devices->container_namespace < 0 ? -errno : ns_open_socket_inside(devices->container_namespace);
    int r = fd < 0 ? fd : netlink_init(&devices->container, devices->host.mnl, &fd);
    if (r == -EPERM || r == -EACCES)
        return refuse_privilege(why, r, "", &devices->items[0]);
    if (r < 0) {
        fail_errno(why, r, "enter the container's network namespace");
        return failure_pointer(why, "/linux/netDevices");
    }
    return 0;
}

/* 1, 0 or -errno.  Alternative names count. */
static int is_taken(struct netlink *netlink, const char *name)
{
    struct link ignored;
    int r = find_link(netlink, name, 0, &ignored);
    return r == 0 ? 1 : r == -ENODEV ? 0 : r;
}

/* The device inside as it is now, found by the number it was given.  -ESTALE: this number is another's. */
static int find_inside(struct ns_devices *devices, const struct link *expected, struct link *ret_link)
{
    int r = find_link(&devices->container, NULL, expected->index, ret_link);
    return r < 0 ? r : is_alike(expected, ret_link) ? 0 : -ESTALE;
}

/* Into the container's namespace under `name`.  The kernel renames behind the move: when somebody was quicker in taking the
 * name, the device is inside under its old one. */
static int move_as(struct ns_devices *devices, struct device *device, const char *name)
{
    struct link ignored, expected = device->before;
    if (device->inside) {
        int renamed = rename_link(&devices->container, device->there.index, name);
        if (renamed == 0)
            snprintf(device->there.name, sizeof(device->there.name), "%s", name);
        return renamed;
    }
    int r = send_link(&devices->host, device->before.index, devices->container_namespace, name, device->before.index, &expected.index);
    if (r < 0 && find_link(&devices->host, NULL, device->before.index, &ignored) != -ENODEV)
        return r;
    int found = find_inside(devices, &expected, &device->there);
    device->inside = found == 0;
    return r < 0 ? r : found;
}

/* "eth%d": the lowest number that is free.  The kernel's own search would count the device itself, so that eth0 became
 * eth1; and it would not say what it took. */
static int move_by_template(struct ns_devices *devices, struct device *device, const char *template)
{
    const char *mark = strstr(template, "%d");
    for (unsigned number = 0; number < TEMPLATE_MAX; number++) {
        char name[2 * IFNAMSIZ];
        snprintf(name, sizeof(name), "%.*s%u%s", (int)(mark - template), template, number, mark + 2);
        if (strlen(name) >= IFNAMSIZ)
            break;
        int r = is_taken(&devices->container, name);
        if (r == 0)
            r = move_as(devices, device, name);
        else if (r == 1)
            r = -EEXIST;
        if (r != -EEXIST)
            return r;
    }
    return -EEXIST;
}

static int move_by_name(struct ns_devices *devices, struct device *device, const char *name)
{
    int r = is_taken(&devices->container, name);
    return r < 0 ? r : r == 1 ? -EEXIST : move_as(devices, device, name);
}

static int explain_move(struct ns_devices *devices, const struct device *device, const char *name, int errnum, struct failure *why)
{
    const char *host_name = device->spec->host_name;
    if (errnum == -EPERM)
        return refuse_privilege(why, errnum, devices->host.complaint, device);
    if (errnum == -EEXIST) {
        fail(why, FAILURE_HOST, "network device '%s' cannot be moved: the name '%s' is taken in the container's network namespace", host_name, name);
        failure_hint(why, "choose another name, or a template such as \"eth%%d\"");
        return failure_pointer(why, device->spec->name != NULL ? "%s/name" : "%s", device->pointer);
    }
    if (errnum == -ESTALE) {
        fail(why, FAILURE_HOST, "network device '%s' was exchanged for another in the container's network namespace", host_name);
        return failure_pointer(why, "%s", device->pointer);
    }
    fail_errno(why, errnum, "move network device '%s' into the container%s", host_name, devices->host.complaint);
    if (errnum == -EINVAL)
        failure_hint(why, "bridges and other devices that belong to one network namespace for good cannot be moved");
    return failure_pointer(why, "%s", device->pointer);
}

static int explain_settling(const struct netlink *netlink, const struct device *device, const char *what, int errnum, struct failure *why)
{
    fail_errno(why, errnum, "%s network device '%s' inside the container%s", what, device->there.name, netlink->complaint);
    if (errnum == -EACCES)
        failure_hint(why, "IPv6 is disabled in the network namespace: see net.ipv6.conf.*.disable_ipv6 there");
    return failure_pointer(why, "%s", device->pointer);
}

static int move_one(struct ns_devices *devices, struct device *device, struct failure *why)
{
    const char *name = device->spec->name != NULL ? device->spec->name : device->spec->host_name;
    /* Once more: what is noted now is what will come back. */
    if (look_at(devices, device, why) < 0)
        return -1;
    int r = list_addresses(devices, device);
    if (r < 0) {
        fail_errno(why, r, "list the addresses of network device '%s'%s", device->spec->host_name, devices->host.complaint);
        return failure_pointer(why, "%s", device->pointer);
    }
    r = strstr(name, "%d") != NULL ? move_by_template(devices, device, name) : move_by_name(devices, device, name);
    if (r < 0)
        return explain_move(devices, device, name, r, why);
    log_debug("network device '%s' is '%s' in the container", device->spec->host_name, device->there.name);
    /* Up first: of hundreds of IPv6 addresses that wait for a device to come up the kernel drops some without an error, because it
     * then makes all their routes in one go out of a small reserve of memory. */
    r = bring_up(&devices->container, device->there.index);
    if (r < 0)
        return explain_settling(&devices->container, device, "bring up", r, why);
    r = give_addresses(&devices->container, device, device->there.index, device->there.name);
    return r < 0 ? explain_settling(&devices->container, device, "keep the addresses of", r, why) : 0;
}

int ns_devices_move(struct ns_devices *devices, const struct ns_plan *plan, pid_t init, struct failure *why)
{
    if (open_container(devices, plan, init, why) < 0)
        return -1;
    for (size_t i = 0; i < devices->count; i++)
        if (move_one(devices, &devices->items[i], why) < 0)
            return -1;
    return 0;
}

/* ---- and back ---- */

static int join_master(struct netlink *netlink, int index, uint32_t master)
{
    struct netlink_request request;
    begin_change(netlink, &request, index, 0);
    netlink_add_u32(&request, IFLA_MASTER, master);
    return netlink_ask(netlink, &request, NULL, NULL);
}

/* By its number, and only while everything shows that it is ours: what others have put in its place must not come to the host.
 * Number, kind and hardware address can be chosen; not so what a device of theirs hangs on, which is never in our namespace. */
static int take_back(struct ns_devices *devices, struct device *device)
{
    struct link link;
    int index;
    int r = find_inside(devices, &device->there, &link);
    if (r == 0 && (link.parent != device->there.parent || link.parent_namespace != device->there.parent_namespace))
        r = -ESTALE;
    if (r < 0)
        return r;
    r = send_link(&devices->container, link.index, devices->host_namespace, device->before.name, device->before.index, &index);
    if (r < 0)
        return r;
    device->inside = false;
    if (device->before.master != 0)
        r = join_master(&devices->host, index, device->before.master);
    int up = device->before.flags & IFF_UP ? bring_up(&devices->host, index) : 0;
    int given = give_addresses(&devices->host, device, index, device->before.name);
    return r < 0 ? r : up < 0 ? up : given;
}

void ns_devices_take_back(struct ns_devices *devices)
{
    if (devices == NULL)
        return;
    for (size_t i = devices->count; i > 0; i--) {
        struct device *device = &devices->items[i - 1];
        if (!device->inside)
            continue;
        int r = take_back(devices, device);
        if (r < 0)
            log_warning("network device '%s' %s: %s", device->spec->host_name,
                        device->inside ? "could not be taken back out of the container" : "came back incomplete",
                        r == -ESTALE ? "another one has its place there" : text_errno(-r));
    }
}

void ns_devices_close(struct ns_devices *devices)
{
    if (devices == NULL)
        return;
    netlink_done(&devices->host);
    netlink_done(&devices->container);
    fd_close(&devices->host_namespace);
    fd_close(&devices->container_namespace);
}
