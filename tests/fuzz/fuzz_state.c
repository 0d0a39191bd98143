/* Harness: the record of a container from any bytes.  What is accepted is whole, and comes back from what it is
 * shown as. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "container/state.h"
#include "fuzz.h"

static void must(bool good)
{
    if (!good)
        abort(); /* a finding */
}

static void check(const struct state *state)
{
    must(state->phase == PHASE_CREATING || state->phase == PHASE_CREATED);
    must(state->cgroup.manager <= CGROUP_MANAGER_DISABLED);
    must(state->id != NULL && state->id[0] != '\0');
    must(state->bundle != NULL && state->rootfs != NULL && state->created != NULL);
    must(state->init.pid >= 0 && state->creator.pid >= 0);
    for (size_t i = 0; i < state->annotations.count; i++)
        must(state->annotations.items[i].key != NULL && state->annotations.items[i].value != NULL);
    struct json_writer *writer = json_writer_new(JSON_COMPACT);
    size_t length;
    state_document(writer, state, STATUS_STOPPED, 0);
    must(json_result(writer, &length)[0] == '{' && length > 2);
    json_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct failure why = {0};
    struct state state;
    if (state_parse((const char *)data, size, &arena, &state, &why) == 0)
        check(&state);
    else
        must(why.text[0] != '\0'); /* refused without a reason */
    arena_done(&arena);
    return 0;
}
