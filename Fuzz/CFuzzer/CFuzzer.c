#include "CFuzzer.h"

// There when the program was linked with -sanitize=fuzzer.
__attribute__((weak)) int LLVMFuzzerRunDriver(
    int *argument_count, char ***arguments, cfuzzer_target *target);

int cfuzzer_run(int argument_count, char **arguments, cfuzzer_target *target) {
    if (!LLVMFuzzerRunDriver) return -1;
    return LLVMFuzzerRunDriver(&argument_count, &arguments, target);
}
