/* cmd/stats_document.h: statistics in the forms that people, engines and monitoring read. */
#ifndef CRUN_LITE_CMD_STATS_DOCUMENT_H
#define CRUN_LITE_CMD_STATS_DOCUMENT_H

#include "base/text.h"
#include "container/container.h"

struct stats_of {
    const char *id;
    struct cgroup_stats stats;
};

/* The event `type` as runc has it: {"type":…,"id":…,"data":{…}}; without stats no data. */
void stats_event(struct json_writer *writer, const char *type, const char *id, const struct cgroup_stats *stats);
void stats_table(struct text *text, const struct stats_of *list, size_t count);
/* OpenMetrics 1.0, with its end mark. */
void stats_metrics(struct text *text, const struct stats_of *list, size_t count);

#endif
