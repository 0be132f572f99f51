#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef int cfuzzer_target(const uint8_t *_Nullable bytes, size_t count);

// Hands the program to libFuzzer, which takes the command line, and returns its exit status;
// -1 if libFuzzer was not linked in.
int cfuzzer_run(int argument_count, char *_Nullable *_Nonnull arguments, cfuzzer_target *target);

#pragma clang assume_nonnull end
