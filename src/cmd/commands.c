/* cmd/commands.c: the table of commands. */
#include <string.h>

#include "cmd/cmd.h"

const struct command *const commands[] = {
    &command_run,    &command_create, &command_start, &command_exec,   &command_state,  &command_kill,
    &command_delete, &command_pause,  &command_resume, &command_ps,    &command_update, &command_stats,
    &command_events, &command_wait,   &command_list,  &command_spec,   &command_check,  &command_features, NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
