/*
 * ns/mnl.h: the door to libmnl, which is loaded when a network device has to be moved and not before.
 *
 * Runs in: creator, before any path of the container is visible: what dlopen finds is the host's.
 */
#ifndef CRUN_LITE_NS_MNL_H
#define CRUN_LITE_NS_MNL_H

#include <libmnl/libmnl.h>

#include "base/failure.h"

struct mnl {
    typeof(mnl_nlmsg_put_header) *put_header;
    typeof(mnl_nlmsg_put_extra_header) *put_extra_header;
    typeof(mnl_nlmsg_ok) *message_fits;
    typeof(mnl_nlmsg_next) *message_next;
    typeof(mnl_nlmsg_get_payload) *payload;
    typeof(mnl_nlmsg_get_payload_len) *payload_length;
    typeof(mnl_attr_put_check) *attr_put;
    typeof(mnl_attr_parse) *attr_parse;
    typeof(mnl_attr_parse_nested) *attr_parse_nested;
    typeof(mnl_attr_get_type) *attr_type;
    typeof(mnl_attr_get_payload) *attr_payload;
    typeof(mnl_attr_get_payload_len) *attr_length;
    typeof(mnl_cb_run2) *run;
};

/* Loads once per process; the table stays valid for its life. */
int mnl_load(const struct mnl **ret_mnl, struct failure *why) MUST_CHECK;

#endif
