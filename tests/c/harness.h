/* A test harness in one header: named tests, checks that say where they failed and go on. */
#ifndef DONJON_TEST_HARNESS_H
#define DONJON_TEST_HARNESS_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int checks_failed;
static int tests_failed;
static int tests_passed;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            checks_failed++; \
        } \
    } while (0)

#define CHECK_STATUS(call, expected) \
    do { \
        int32_t status_ = (call); \
        if (status_ != (expected)) { \
            fprintf(stderr, "%s:%d: %s: %s, expected %s\n", __FILE__, __LINE__, #call, donjon_status_str(status_), \
                    donjon_status_str(expected)); \
            checks_failed++; \
        } \
    } while (0)

/* A test is a function of the same name. */
#define RUN(test) \
    do { \
        int before_ = checks_failed; \
        test(); \
        if (checks_failed == before_) { \
            tests_passed++; \
        } else { \
            tests_failed++; \
            fprintf(stderr, "FAILED: %s\n", #test); \
        } \
    } while (0)

#define TEXT(text) (const uint8_t *)(text), strlen(text)

static int finish(const char *suite) {
    printf("%s: %d passed, %d failed\n", suite, tests_passed, tests_failed);
    return tests_failed == 0 ? 0 : 1;
}

#endif
