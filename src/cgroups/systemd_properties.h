/*
 * cgroups/systemd_properties.h: limits and annotations -> typed unit properties.  Pure: no D-Bus, no libsystemd.
 *
 * Runs in: creator, and the update command.
 */
#ifndef CRUN_LITE_CGROUPS_SYSTEMD_PROPERTIES_H
#define CRUN_LITE_CGROUPS_SYSTEMD_PROPERTIES_H

#include "cgroups/limits.h"

enum property_need {
    PROPERTY_NEEDED,   /* the unit is not made without it */
    PROPERTY_IF_KNOWN, /* left out when systemd is older than the property; the file below the scope is written all
                          the same */
};

struct systemd_property {
    const char *name;
    /* D-Bus signature: "b", "s", "y", "n", "q", "i", "u", "x", "t", "as", "ay". */
    const char *signature;
    enum property_need need;
    bool boolean;
    uint64_t number; /* unsigned and bytes */
    int64_t integer; /* signed */
    const char *string;
    struct strings strings;
    const uint8_t *bytes; /* "ay" */
    size_t bytes_count;
};

struct systemd_properties {
    struct systemd_property *items;
    size_t count;
};

/* What systemd has a property for: told to it, so that a daemon-reload does not write older values over ours.
 * Devices are not: the kernel allows what all attached programs allow, systemd leaves ours alone, and a second list
 * in systemd is what loses GPUs on daemon-reload. */
void properties_of_limits(const struct limits *limits, struct arena *arena, struct systemd_properties *properties);
/* org.systemd.property.NAME = GVariant text: true, 'word', 5, uint64 5, ['a', 'b'], @as [].  NAMESec with a number
 * becomes NAMEUSec in microseconds. */
int properties_of_annotations(const struct string_map *annotations, struct arena *arena,
                              struct systemd_properties *properties, struct failure *why) MUST_CHECK;

#endif
