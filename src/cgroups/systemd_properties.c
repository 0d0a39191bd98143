/*
 * cgroups/systemd_properties.c: limits and org.systemd.property.* annotations -> typed unit properties.
 *
 * Pure.  Runs in the creator and the update command.  Must not: include a systemd header.
 */
#include "cgroups/systemd_properties.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define CPUSET_BITS_MAX 8192 /* CONFIG_NR_CPUS at its largest */
#define ANNOTATIONS_MAX 256
#define USEC_PER_SEC 1000000u
#define QUOTA_STEP_USEC 10000u /* systemd keeps the quota in percent of a CPU: per second, 10 ms each */

/* A later property of the same name takes the place of the earlier one. */
static struct systemd_property *put(struct systemd_properties *properties, struct arena *arena, const char *name,
                                    const char *signature, enum property_need need)
{
    struct systemd_property *property = NULL;
    for (size_t i = 0; i < properties->count; i++)
        if (text_equal(properties->items[i].name, name))
            property = &properties->items[i];
    if (!property) {
        properties->items = arena_grow_one(arena, properties->items, properties->count, sizeof *property);
        property = &properties->items[properties->count++];
    }
    *property = (struct systemd_property){.name = name, .signature = signature, .need = need};
    return property;
}

/* ---- limits ---- */

static void put_number(struct systemd_properties *properties, struct arena *arena, const char *name,
                       enum property_need need, const char *value)
{
    uint64_t number = UINT64_MAX; /* systemd's "infinity" */
    if (text_starts(value, "default ")) /* as io.weight reads, where an update is taken back */
        value += strlen("default ");
    if (!text_equal(value, "max") && text_to_u64(value, UINT64_MAX, &number) < 0)
        return; /* a form only the kernel knows: the file says it */
    put(properties, arena, name, "t", need)->number = number;
}

/* "QUOTA PERIOD" or "max PERIOD". */
static void put_cpu_max(struct systemd_properties *properties, struct arena *arena, const char *value)
{
    const char *blank = strchr(value, ' ');
    uint64_t quota = UINT64_MAX, period, per_second = UINT64_MAX;
    if (!blank || text_to_u64(blank + 1, UINT64_MAX, &period) < 0 || period == 0)
        return;
    const char *first = arena_copy_n(arena, value, (size_t)(blank - value));
    if (!text_equal(first, "max")) {
        if (text_to_u64(first, UINT64_MAX / USEC_PER_SEC, &quota) < 0)
            return;
        per_second = quota * USEC_PER_SEC / period;
        per_second += (QUOTA_STEP_USEC - per_second % QUOTA_STEP_USEC) % QUOTA_STEP_USEC;
    }
    put(properties, arena, "CPUQuotaPerSecUSec", "t", PROPERTY_NEEDED)->number = per_second;
    put(properties, arena, "CPUQuotaPeriodUSec", "t", PROPERTY_IF_KNOWN)->number = period; /* systemd 242 */
}

/* "0-3,7" -> { 0x8f }, least significant bit first.  Anything else is left to the kernel to refuse. */
static void put_set(struct systemd_properties *properties, struct arena *arena, const char *name, const char *list)
{
    uint8_t *bits = arena_alloc(arena, CPUSET_BITS_MAX / 8);
    size_t bytes = 0;
    if (text_equal(list, "\n")) /* what empties the file empties the property */
        list = "";
    for (const char *rest = list; *rest;) {
        size_t length = strcspn(rest, ","), dash = strcspn(rest, "-,");
        uint64_t first, last;
        const char *low = arena_copy_n(arena, rest, dash < length ? dash : length);
        const char *high = dash < length ? arena_copy_n(arena, rest + dash + 1, length - dash - 1) : low;
        if (text_to_u64(low, CPUSET_BITS_MAX - 1, &first) < 0 || text_to_u64(high, CPUSET_BITS_MAX - 1, &last) < 0)
            return;
        for (uint64_t bit = first; bit <= last; bit++)
            bits[bit / 8] |= (uint8_t)(1u << (bit % 8));
        if (first <= last && last / 8 + 1 > bytes)
            bytes = last / 8 + 1;
        rest += length + (rest[length] == ',');
    }
    struct systemd_property *property = put(properties, arena, name, "ay", PROPERTY_IF_KNOWN); /* systemd 244 */
    property->bytes = bits;
    property->bytes_count = bytes;
}

void properties_of_limits(const struct limits *limits, struct arena *arena, struct systemd_properties *properties)
{
    static const struct {
        const char *file, *property;
        enum property_need need;
    } numbers[] = {
        {"memory.max", "MemoryMax", PROPERTY_NEEDED},
        {"memory.high", "MemoryHigh", PROPERTY_NEEDED},
        {"memory.low", "MemoryLow", PROPERTY_NEEDED},
        {"memory.min", "MemoryMin", PROPERTY_IF_KNOWN}, /* systemd 240 */
        {"memory.swap.max", "MemorySwapMax", PROPERTY_NEEDED},
        {"memory.zswap.max", "MemoryZSwapMax", PROPERTY_IF_KNOWN}, /* systemd 253 */
        {"cpu.weight", "CPUWeight", PROPERTY_NEEDED},
        {"pids.max", "TasksMax", PROPERTY_NEEDED},
        {"io.weight", "IOWeight", PROPERTY_NEEDED},
    };
    for (size_t i = 0; i < limits->count; i++) {
        const struct cgroup_write *write = &limits->writes[i];
        if (text_equal(write->file, "cpu.max"))
            put_cpu_max(properties, arena, write->value);
        else if (text_equal(write->file, "cpuset.cpus"))
            put_set(properties, arena, "AllowedCPUs", write->value);
        else if (text_equal(write->file, "cpuset.mems"))
            put_set(properties, arena, "AllowedMemoryNodes", write->value);
        else if (text_equal(write->file, "io.bfq.weight") && write->other_value)
            put_number(properties, arena, "IOWeight", PROPERTY_NEEDED, write->other_value);
        else if (text_equal(write->file, "pids.max") && text_equal(write->value, "0"))
            /* There is no TasksMax=0.  With init alive, 1 permits no fork either; the default would permit thousands after
             * a daemon-reload. */
            put_number(properties, arena, "TasksMax", PROPERTY_NEEDED, "1");
        else if (text_equal(write->file, "cpu.idle") && text_equal(write->value, "1"))
            put_number(properties, arena, "CPUWeight", PROPERTY_IF_KNOWN, "0"); /* "idle": systemd 252 */
        else if (text_equal(write->file, "cpu.idle"))
            put_number(properties, arena, "CPUWeight", PROPERTY_NEEDED, "max"); /* systemd's default; a weight follows, or not */
        else if (!(text_equal(write->file, "cpu.weight") && text_equal(write->value, "0"))) /* as an idle cgroup's reads */
            for (size_t n = 0; n < ARRAY_LENGTH(numbers); n++)
                if (text_equal(write->file, numbers[n].file))
                    put_number(properties, arena, numbers[n].property, numbers[n].need, write->value);
    }
}

/* ---- annotations: a subset of GVariant's text form ---- */

struct reading {
    const char *rest;
    struct arena *arena;
};

static void skip_blanks(struct reading *reading)
{
    reading->rest += strspn(reading->rest, " \t\n");
}

static bool take(struct reading *reading, const char *word)
{
    skip_blanks(reading);
    if (!text_starts(reading->rest, word))
        return false;
    reading->rest += strlen(word);
    return true;
}

/* 'text' or "text", with backslash before a quote or a backslash.  NULL: no string. */
static char *take_string(struct reading *reading)
{
    skip_blanks(reading);
    char quote = reading->rest[0];
    if (quote != '\'' && quote != '"')
        return NULL;
    char *text = arena_alloc(reading->arena, strlen(reading->rest));
    size_t length = 0;
    const char *at = reading->rest + 1;
    for (; *at && *at != quote; at++) {
        if (*at == '\\') {
            at++;
            if (*at != '\\' && *at != '\'' && *at != '"')
                return NULL;
        }
        text[length++] = *at;
    }
    if (*at != quote)
        return NULL;
    reading->rest = at + 1;
    return text;
}

static bool take_strings(struct reading *reading, struct strings *ret_strings)
{
    if (!take(reading, "["))
        return false;
    if (take(reading, "]"))
        return true;
    do {
        char *text = take_string(reading);
        if (!text)
            return false;
        ret_strings->items = arena_grow_one(reading->arena, ret_strings->items, ret_strings->count, sizeof(char *));
        ret_strings->items[ret_strings->count++] = text;
    } while (take(reading, ","));
    return take(reading, "]");
}

static const struct number_type {
    const char *word, *signature;
    int64_t min;
    uint64_t max;
} number_types[] = {
    {"byte ", "y", 0, UINT8_MAX},    {"int16 ", "n", INT16_MIN, INT16_MAX},
    {"uint16 ", "q", 0, UINT16_MAX}, {"int32 ", "i", INT32_MIN, INT32_MAX},
    {"uint32 ", "u", 0, UINT32_MAX}, {"int64 ", "x", INT64_MIN, INT64_MAX},
    {"uint64 ", "t", 0, UINT64_MAX}, {"", "i", INT32_MIN, INT32_MAX}, /* GVariant's default, and the last one */
};

static bool take_number(struct reading *reading, struct systemd_property *property)
{
    const struct number_type *type = number_types;
    skip_blanks(reading);
    while (type->word[0] && !take(reading, type->word))
        type++;
    skip_blanks(reading);
    size_t length = strspn(reading->rest, "-0123456789");
    const char *digits = arena_copy_n(reading->arena, reading->rest, length);
    reading->rest += length;
    property->signature = type->signature;
    if (type->min < 0)
        return text_to_i64(digits, type->min, (int64_t)type->max, &property->integer) == 0;
    return text_to_u64(digits, type->max, &property->number) == 0;
}

static bool take_value(struct reading *reading, struct systemd_property *property)
{
    skip_blanks(reading);
    if (take(reading, "@as") || reading->rest[0] == '[') {
        property->signature = "as";
        return take_strings(reading, &property->strings);
    }
    if (reading->rest[0] == '\'' || reading->rest[0] == '"') {
        property->signature = "s";
        property->string = take_string(reading);
        return property->string != NULL;
    }
    bool yes = take(reading, "true");
    if (yes || take(reading, "false")) {
        property->signature = "b";
        property->boolean = yes;
        return true;
    }
    return take_number(reading, property);
}

static bool is_signed(const struct systemd_property *property)
{
    return strchr("nix", property->signature[0]) != NULL;
}

/* systemd's own files say TimeoutStopSec=90, its bus interface TimeoutStopUSec=90000000. */
static bool to_microseconds(struct systemd_property *property, struct arena *arena)
{
    if (!text_ends(property->name, "Sec") || text_ends(property->name, "USec"))
        return true;
    if (property->signature[0] == 's' || property->signature[0] == 'b' || property->signature[0] == 'a')
        return true;
    uint64_t seconds = is_signed(property) ? (uint64_t)property->integer : property->number;
    if ((is_signed(property) && property->integer < 0) || seconds > UINT64_MAX / USEC_PER_SEC)
        return false;
    property->name = arena_format(arena, "%.*sUSec", (int)(strlen(property->name) - strlen("Sec")), property->name);
    property->signature = "t";
    property->number = seconds * USEC_PER_SEC;
    return true;
}

static bool name_is_valid(const char *name)
{
    size_t length = strlen(name);
    return length >= 2 && length < 128 && name[0] >= 'A' && name[0] <= 'Z' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == length;
}

int properties_of_annotations(const struct string_map *annotations, struct arena *arena,
                              struct systemd_properties *properties, struct failure *why)
{
    size_t seen = 0;
    for (size_t i = 0; annotations && i < annotations->count; i++) {
        const char *key = annotations->items[i].key;
        if (!text_starts(key, ANNOTATION_SYSTEMD_PROPERTY))
            continue;
        const char *name = key + strlen(ANNOTATION_SYSTEMD_PROPERTY);
        char token[POINTER_TOKEN_SIZE];
        const char *pointer = arena_format(arena, "/annotations/%s", text_pointer_token(token, key, strlen(key)));
        if (++seen > ANNOTATIONS_MAX)
            return fail_config(why, pointer, "more than the %d unit properties that this runtime takes", ANNOTATIONS_MAX);
        if (!name_is_valid(name))
            return fail_config(why, pointer, "'%.128s' is no name of a systemd property such as CPUWeight", name);
        /* These two decide which processes the unit holds and where it is. */
        if (text_equal(name, "PIDs") || text_equal(name, "Slice"))
            return fail_config(why, pointer, "the property %s is decided by the runtime", name);
        struct reading reading = {annotations->items[i].value, arena};
        struct systemd_property property = {.name = name};
        bool good = take_value(&reading, &property);
        skip_blanks(&reading);
        if (!good || *reading.rest || !to_microseconds(&property, arena)) {
            fail_config(why, pointer, "'%.128s' is no value this runtime understands", annotations->items[i].value);
            return failure_hint(why, "in GVariant text form: true, 'word', 5, uint64 5, ['a', 'b']");
        }
        struct systemd_property *place = put(properties, arena, property.name, property.signature, PROPERTY_NEEDED);
        *place = property;
    }
    return 0;
}
