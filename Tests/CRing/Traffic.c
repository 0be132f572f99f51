#include "CRingTraffic.h"

#include <string.h>

static uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
}

uint64_t cring_random(uint64_t *state) { return mix(*state += 0x9E3779B97F4A7C15); }

static uint32_t word(uint64_t seed, uint32_t number, size_t place) {
    return place ? (uint32_t)mix(seed ^ ((uint64_t)number << 32 | place)) : number;
}

void cring_fill(void *message, size_t size, uint64_t seed, uint32_t number) {
    for (size_t place = 0; place < size / 4; place++) {
        uint32_t value = word(seed, number, place);
        memcpy((char *)message + 4 * place, &value, 4);
    }
}

int64_t cring_number(const void *message, size_t size, uint64_t seed) {
    uint32_t number, value;
    memcpy(&number, message, 4);
    for (size_t place = 1; place < size / 4; place++) {
        memcpy(&value, (const char *)message + 4 * place, 4);
        if (value != word(seed, number, place)) return -1;
    }
    return number;
}

uint64_t cring_sum(const void *message, size_t size) {
    uint64_t sum = 0xCBF29CE484222325;
    for (size_t place = 0; place < size / 4; place++) {
        uint32_t value;
        memcpy(&value, (const char *)message + 4 * place, 4);
        sum = mix(sum ^ value);
    }
    return sum;
}

void cring_stream(void *bytes, size_t size, uint64_t seed, uint64_t position) {
    for (size_t i = 0; i < size; i++, position++)
        ((unsigned char *)bytes)[i] = (unsigned char)(mix(seed + position / 8) >> position % 8 * 8);
}
