/*
 * base/dlopen_note.h: what packagers' tools read to know of a library that is loaded on demand
 * (https://uapi-group.org/specifications/specs/elf_dlopen_metadata/).
 */
#ifndef CRUN_LITE_BASE_DLOPEN_NOTE_H
#define CRUN_LITE_BASE_DLOPEN_NOTE_H

#include <stdint.h>

/* Once in the file that loads the library; string literals. */
#define DLOPEN_NOTE(feature, description, priority, soname)                                                              \
    DLOPEN_NOTE_TEXT_("[{\"feature\":\"" feature "\",\"description\":\"" description "\",\"priority\":\"" priority         \
                      "\",\"soname\":[\"" soname "\"]}]")

#define DLOPEN_NOTE_TEXT_(json)                                                                                          \
    static const struct {                                                                                                \
        uint32_t name_size, text_size, type;                                                                             \
        char name[4];                                                                                                    \
        _Alignas(4) char text[sizeof(json)];                                                                             \
    } dlopen_note __attribute__((used, section(".note.dlopen"), aligned(4))) = {4, sizeof(json), 0x407c0c0a, "FDO", json}

#endif
