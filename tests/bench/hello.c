/*
 * tests/bench/hello.c: what `state`, `kill` and `delete` are measured against: the least program that is linked to libc.
 */
#include <stdio.h>

int main(void)
{
    return puts("hello, world") < 0;
}
