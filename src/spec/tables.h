/* spec/tables.h: the document types of config.json and its parts; inside spec/ only. */
#ifndef CRUN_LITE_SPEC_TABLES_H
#define CRUN_LITE_SPEC_TABLES_H

#include "spec/json_table.h"

extern const struct json_object table_config;            /* struct spec */
extern const struct json_object table_process;           /* struct spec_process, inside config.json */
extern const struct json_object table_process_document;  /* the same as a document of its own */
extern const struct json_object table_resources;         /* struct spec_resources, inside config.json */
extern const struct json_object table_resources_document;
extern const struct json_object table_linux;             /* struct spec_linux */
extern const struct json_object table_vm;                /* struct spec_vm */
extern const struct json_object table_id_mapping;        /* struct id_mapping */

/* 4294967295 is (uid_t)-1, which setresuid and chown read as "leave it alone". */
#define ID_MAX 4294967294u

/* Words of closed sets that spec.h keeps as strings; each ended by NULL.  The features document lists them. */
extern const char *const memory_policy_modes[];
extern const char *const memory_policy_flags[];

/* "0-3,7": numbers and ranges, separated by commas.  NULL or what was expected. */
const char *table_check_list(const char *value);

#endif
