/* Unit tests of base/memory.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/failure.h has the better claim to the name */
#include <malloc.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

#define BIG (256u * 1024)

static bool all_zero(const char *memory, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (memory[i] != 0)
            return false;
    return true;
}

/* Every size around the alignment and the block size: zeroed, aligned, to be written whole, disjoint. */
static void any_size_is_zeroed_aligned_and_its_own(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 1000, 32703, 32704, 32705, 32767, 32768, 32769, BIG, 3, 0, 5};
    struct arena arena = {0};
    char *memory[10][ARRAY_LENGTH(sizes)];
    for (size_t round = 0; round < 10; round++)
        for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
            memory[round][i] = arena_alloc(&arena, sizes[i]);
            assert_non_null(memory[round][i]);
            assert_int_equal((uintptr_t)memory[round][i] % alignof(max_align_t), 0);
            assert_true(all_zero(memory[round][i], sizes[i]));
            memset(memory[round][i], (int)(round * 20 + i + 1), sizes[i]);
        }
    for (size_t round = 0; round < 10; round++)
        for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
            for (size_t byte = 0; byte < sizes[i]; byte++)
                assert_int_equal((unsigned char)memory[round][i][byte], round * 20 + i + 1);
    arena_done(&arena);
    assert_null(arena.blocks);
    arena_done(&arena);
}

/* A big object between small ones does not waste the room of the block that is in use. */
static void big_objects_leave_the_current_block_alone(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *first = arena_alloc(&arena, 16);
    char *big = arena_alloc(&arena, BIG);
    char *second = arena_alloc(&arena, 16);
    assert_ptr_equal(second, first + 16);
    memset(big, 1, BIG);
    assert_true(all_zero(first, 32));
    arena_done(&arena);
    /* Also when the big one is the first. */
    big = arena_alloc(&arena, BIG);
    memset(big, 1, BIG);
    assert_true(all_zero(arena_alloc(&arena, 16), 16));
    arena_done(&arena);
}

static void growing_keeps_the_old_elements(void **state)
{
    (void)state;
    struct arena arena = {0};
    unsigned *numbers = NULL;
    size_t room = 0;
    for (unsigned i = 0; i < 100000; i++) {
        if (i == room) {
            size_t more = room ? room * 2 : 1;
            numbers = arena_grow(&arena, numbers, room, more, sizeof(*numbers));
            assert_true(all_zero((const char *)(numbers + room), (more - room) * sizeof(*numbers)));
            room = more;
        }
        numbers[i] = i;
    }
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(numbers[i], i);
    assert_non_null(arena_grow(&arena, NULL, 0, 0, 8));
    arena_done(&arena);
}

static void copies_and_formats(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *big = memory_new(BIG);
    memset(big, 'b', BIG - 1);
    assert_string_equal(arena_copy(&arena, ""), "");
    assert_string_equal(arena_copy(&arena, big), big);
    assert_string_equal(arena_copy_n(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy_n(&arena, "abc", 0), "");
    assert_memory_equal(arena_copy_n(&arena, "a\0b", 3), "a\0b\0", 4);
    assert_string_equal(arena_format(&arena, "%s-%d", "x", -1), "x--1");
    assert_int_equal(strlen(arena_format(&arena, "%s%s", big, big)), 2 * (BIG - 1));
    free(big);
    arena_done(&arena);
}

static void heap(void **state)
{
    (void)state;
    char *memory = memory_new(0);
    assert_non_null(memory);
    memory = memory_resize(memory, 0);
    assert_non_null(memory);
    memory = memory_resize(memory, 10);
    memset(memory, 1, 10);
    free(memory);
    memory = memory_resize(NULL, 5);
    assert_non_null(memory);
    free(memory);
}

static void ask_too_much(int which)
{
    struct arena arena = {0};
    if (which == 0)
        (void)arena_alloc(&arena, SIZE_MAX);
    else if (which == 1)
        (void)arena_alloc(&arena, SIZE_MAX / 2 + 1);
    else if (which == 2)
        (void)arena_grow(&arena, NULL, 0, SIZE_MAX / 2, 3);
    else
        (void)arena_grow(&arena, NULL, 0, (size_t)1 << 63, 2);
}

/* No wrapped size gives a small block: the process ends with one sentence. */
static void impossible_sizes_end_the_process(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        int words[2], status;
        char said[256] = "";
        assert_int_equal(pipe(words), 0);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(words[1], STDERR_FILENO);
            ask_too_much(which);
            _exit(0);
        }
        close(words[1]);
        assert_true(fd_read_up_to(words[0], said, sizeof(said) - 1) > 0);
        close(words[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_string_equal(said, "crun-lite: out of memory\n");
    }
}

int main(void)
{
    (void)mallopt(M_PERTURB, 0x5a); /* what the C library does not promise to be zero is not */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_size_is_zeroed_aligned_and_its_own),
        cmocka_unit_test(big_objects_leave_the_current_block_alone),
        cmocka_unit_test(growing_keeps_the_old_elements),
        cmocka_unit_test(copies_and_formats),
        cmocka_unit_test(heap),
        cmocka_unit_test(impossible_sizes_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
