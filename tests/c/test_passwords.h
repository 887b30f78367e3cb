/* Passwords through the C ABI, and what a hostile caller gets, for test_donjon.c. */

#include <time.h>

static const char WEAK[] =
    "{\"memory_kib\":8,\"time_cost\":1,\"allow_weak\":true,\"legacy\":[\"bcrypt\",\"pbkdf2\",\"scrypt\",\"argon2i\",\"argon2d\"]}";
static const char WORDS[] = "correct horse battery staple";

static donjon_hasher *new_hasher(const donjon_keyring *peppers, const char *config) {
    donjon_hasher *hasher = NULL;
    CHECK_STATUS(donjon_hasher_new(peppers, TEXT(config), &hasher), DONJON_OK);
    CHECK(hasher != NULL);
    return hasher;
}

static size_t hashed(const donjon_hasher *hasher, const char *password, uint8_t *out) {
    size_t len = 0;
    CHECK_STATUS(donjon_hasher_hash(hasher, TEXT(password), NOW, out, DONJON_PASSWORD_HASH_MAX, &len), DONJON_OK);
    CHECK(len > 0 && len <= DONJON_PASSWORD_HASH_MAX);
    return len;
}

static int32_t verified(const donjon_hasher *hasher, const char *password, const uint8_t *hash, size_t len) {
    donjon_password_verdict verdict;
    memset(&verdict, UNTOUCHED, sizeof verdict);
    int32_t status = donjon_hasher_verify(hasher, TEXT(password), hash, len, NOW, &verdict);
    CHECK(status == DONJON_OK ? verdict.needs_rehash <= 1 && verdict.truncated == 0
                              : is_untouched((const uint8_t *)&verdict, sizeof verdict));
    return status;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void a_password_matches_its_own_hash_only(void) {
    donjon_hasher *hasher = new_hasher(NULL, WEAK);
    uint8_t first[DONJON_PASSWORD_HASH_MAX], second[DONJON_PASSWORD_HASH_MAX];
    size_t first_len = hashed(hasher, WORDS, first), second_len = hashed(hasher, WORDS, second);
    CHECK(first_len == second_len && memcmp(first, second, first_len) != 0);
    CHECK(memcmp(first, TEXT("$argon2id$v=19$m=8,t=1,p=1$")) == 0);
    CHECK_STATUS(verified(hasher, WORDS, first, first_len), DONJON_OK);
    CHECK_STATUS(verified(hasher, WORDS, second, second_len), DONJON_OK);
    CHECK_STATUS(verified(hasher, "incorrect horse", first, first_len), DONJON_PASSWORD_MISMATCH);
    CHECK_STATUS(verified(hasher, "", first, first_len), DONJON_PASSWORD_MISMATCH);
    uint32_t needs_rehash = 7;
    CHECK_STATUS(donjon_hasher_needs_rehash(hasher, first, first_len, NOW, &needs_rehash), DONJON_OK);
    CHECK(needs_rehash == 0);
    donjon_hasher *stronger = new_hasher(NULL, "{\"preset\":\"owasp\"}");
    CHECK_STATUS(donjon_hasher_needs_rehash(stronger, first, first_len, NOW, &needs_rehash), DONJON_OK);
    CHECK(needs_rehash == 1);
    donjon_password_verdict verdict;
    CHECK_STATUS(donjon_hasher_verify(stronger, TEXT(WORDS), first, first_len, NOW, &verdict), DONJON_OK);
    CHECK(verdict.needs_rehash == 1 && verdict.truncated == 0);
    donjon_hasher_free(stronger);
    donjon_hasher_free(hasher);
}

static void passwords_are_bytes_of_a_bounded_length(void) {
    donjon_hasher *hasher = new_hasher(NULL, WEAK);
    static uint8_t long_one[1 << 20];
    memset(long_one, 'x', sizeof long_one);
    uint8_t hash[DONJON_PASSWORD_HASH_MAX], prefix[8];
    size_t len = 0, prefix_len = 0;
    donjon_password_verdict verdict;
    static const uint8_t ODD[][4] = {{'a', 0, 'b', 'c'}, {0xff, 0xfe, 0x80, 0xc3}, {0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++) {
        CHECK_STATUS(donjon_hasher_hash(hasher, ODD[i], 4, NOW, hash, sizeof hash, &len), DONJON_OK);
        CHECK_STATUS(donjon_hasher_verify(hasher, ODD[i], 4, hash, len, NOW, &verdict), DONJON_OK);
        CHECK_STATUS(donjon_hasher_verify(hasher, ODD[i], 3, hash, len, NOW, &verdict), DONJON_PASSWORD_MISMATCH);
        CHECK_STATUS(donjon_hasher_verify(hasher, ODD[i], 1, hash, len, NOW, &verdict), DONJON_PASSWORD_MISMATCH);
    }
    CHECK_STATUS(donjon_hasher_hash(hasher, NULL, 0, NOW, hash, sizeof hash, &len), DONJON_OK);
    CHECK_STATUS(donjon_hasher_verify(hasher, (const uint8_t *)"", 0, hash, len, NOW, &verdict), DONJON_OK);
    CHECK_STATUS(donjon_hasher_hash(hasher, long_one, DONJON_PASSWORD_MAX, NOW, hash, sizeof hash, &len), DONJON_OK);
    CHECK_STATUS(donjon_hasher_verify(hasher, long_one, DONJON_PASSWORD_MAX, hash, len, NOW, &verdict), DONJON_OK);
    CHECK_STATUS(donjon_hasher_verify(hasher, long_one, DONJON_PASSWORD_MAX - 1, hash, len, NOW, &verdict), DONJON_PASSWORD_MISMATCH);
    static const size_t OVER[] = {DONJON_PASSWORD_MAX + 1, sizeof long_one};
    for (size_t i = 0; i < sizeof OVER / sizeof *OVER; i++) {
        uint8_t out[512];
        size_t out_len = 0;
        uint64_t count = 0;
        CHECK_STATUS(donjon_hasher_hash(hasher, long_one, OVER[i], NOW, out, sizeof out, &out_len), DONJON_TOO_LARGE);
        CHECK_STATUS(donjon_hasher_verify(hasher, long_one, OVER[i], hash, len, NOW, &verdict), DONJON_TOO_LARGE);
        CHECK_STATUS(donjon_hasher_verify_unknown_user(hasher, long_one, OVER[i], NOW), DONJON_TOO_LARGE);
        CHECK_STATUS(donjon_password_strength(NULL, 0, long_one, OVER[i], NULL, 0, out, sizeof out, &out_len), DONJON_TOO_LARGE);
        CHECK_STATUS(donjon_password_breach_prefix(long_one, OVER[i], prefix, sizeof prefix, &prefix_len), DONJON_TOO_LARGE);
        CHECK_STATUS(donjon_password_breach_count(long_one, OVER[i], TEXT(""), &count), DONJON_TOO_LARGE);
    }
    donjon_hasher_free(hasher);
}

static void bcrypt_is_read_where_it_is_enabled_and_says_what_it_cut(void) {
    /* Of 73 bytes of which bcrypt looks at 72: golden/foreign.json. */
    const char *stored = "$2b$04$h3vaAJRiMV6YlSbci237CuAWSSkQygELWCy60YuwtUlPo7dW/.tSa";
    const char *password = "0123456789012345678901234567890123456789012345678901234567890123456789abc";
    donjon_hasher *lenient = new_hasher(NULL, WEAK), *strict = new_hasher(NULL, "{\"memory_kib\":8,\"time_cost\":1,\"allow_weak\":true}");
    donjon_password_verdict verdict = {0, 0};
    CHECK_STATUS(donjon_hasher_verify(lenient, TEXT(password), TEXT(stored), NOW, &verdict), DONJON_OK);
    CHECK(verdict.needs_rehash == 1 && verdict.truncated == 1);
    CHECK_STATUS(donjon_hasher_verify(lenient, (const uint8_t *)password, 72, TEXT(stored), NOW, &verdict), DONJON_OK);
    CHECK(verdict.needs_rehash == 1 && verdict.truncated == 0);
    CHECK_STATUS(donjon_hasher_verify(lenient, (const uint8_t *)password, 71, TEXT(stored), NOW, &verdict), DONJON_PASSWORD_MISMATCH);
    CHECK_STATUS(donjon_hasher_verify(strict, TEXT(password), TEXT(stored), NOW, &verdict), DONJON_UNSUPPORTED);
    donjon_hasher_free(strict);
    donjon_hasher_free(lenient);
}

static void stored_hashes_that_ask_for_too_much_are_refused_at_once(void) {
    static const struct {
        const char *stored;
        int32_t expected;
    } CASES[] = {
        {"$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"$argon2id$v=19$m=2097152,t=100,p=16$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_PARAMS_OUT_OF_BOUNDS}, /* the budget */
        {"$argon2id$v=19$m=8,t=1,p=0$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"$2b$31$h3vaAJRiMV6YlSbci237CuAWSSkQygELWCy60YuwtUlPo7dW/.tSa", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"$scrypt$ln=30,r=8,p=1$HScmhATmu/g8s0XQe0YJgA$TlcT/b/wFNH8VRpEqXsFXXK4GSl0b7TTsXwq9bWMUKk", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"pbkdf2_sha256$4294967295$salt$M+XJCZJYGSzgR+bFI81HKb3UAwgTng+5Gf6DF7V9yf4=", DONJON_PARAMS_OUT_OF_BOUNDS},
        {"$argon2id$v=16$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_INVALID_HASH},
        {"$argon2id$v=19$m=8,t=1,p=1,t=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_INVALID_HASH},
        {"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA", DONJON_INVALID_HASH},
        {"x", DONJON_INVALID_HASH},
    };
    donjon_hasher *hasher = new_hasher(NULL, WEAK);
    double start = seconds();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint32_t needs_rehash = 7;
        CHECK_STATUS(verified(hasher, WORDS, TEXT(CASES[i].stored)), CASES[i].expected);
        CHECK_STATUS(donjon_hasher_needs_rehash(hasher, TEXT(CASES[i].stored), NOW, &needs_rehash), CASES[i].expected);
        CHECK(needs_rehash == 7);
    }
    static uint8_t endless[1 << 20];
    memset(endless, '$', sizeof endless);
    CHECK_STATUS(verified(hasher, WORDS, endless, sizeof endless), DONJON_INVALID_HASH);
    memset(endless, 0xff, sizeof endless);
    CHECK_STATUS(verified(hasher, WORDS, endless, 100), DONJON_INVALID_HASH);
    CHECK(seconds() - start < 5);
    donjon_hasher_free(hasher);
}

static void configurations_of_hashers_are_checked(void) {
    static const char *const BAD[] = {
        "[]", "{", "x", "{\"memory\":1}", "{\"memory_kib\":8}", "{\"memory_kib\":-8}", "{\"memory_kib\":4294967304}", "{\"memory_kib\":65536.5}",
        "{\"time_cost\":0}", "{\"parallelism\":0}", "{\"parallelism\":17}", "{\"salt_len\":7,\"allow_weak\":true}", "{\"hash_len\":65}",
        "{\"memory_budget_kib\":1}", "{\"max_wait_ms\":60001}", "{\"legacy\":[\"md5\"]}", "{\"preset\":\"none\"}", "{\"preset\":\"rfc9106\"}",
        "{\"allow_weak\":1}", "{\"time_cost\":3,\"time_cost\":3}",
    };
    donjon_hasher *hasher = NULL;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        CHECK_STATUS(donjon_hasher_new(NULL, TEXT(BAD[i]), &hasher), DONJON_CONFIG_ERROR);
        CHECK(hasher == NULL);
    }
    CHECK_STATUS(donjon_hasher_new(NULL, NULL, 0, &hasher), DONJON_OK);
    CHECK(donjon_hasher_slots(hasher) == 4);
    donjon_hasher_free(hasher);
    hasher = new_hasher(NULL, "{\"preset\":\"owasp\",\"memory_budget_kib\":38911}");
    CHECK(donjon_hasher_slots(hasher) == 1);
    donjon_hasher_free(hasher);
    CHECK(donjon_hasher_slots(NULL) == 0);
}

static void a_probe_for_the_length_hashes_nothing(void) {
    donjon_hasher *hasher = new_hasher(NULL, "");
    double start = seconds();
    for (int i = 0; i < 1000; i++) {
        uint8_t out[DONJON_PASSWORD_HASH_MAX];
        size_t len = 0;
        CHECK_STATUS(donjon_hasher_hash(hasher, TEXT(WORDS), NOW, NULL, 0, &len), DONJON_BUFFER_TOO_SMALL);
        CHECK(len == DONJON_PASSWORD_HASH_MAX);
        CHECK_STATUS(donjon_hasher_hash(hasher, TEXT(WORDS), NOW, out, sizeof out - 1, &len), DONJON_BUFFER_TOO_SMALL);
    }
    /* 2,000 hashes of the default parameters take minutes. */
    CHECK(seconds() - start < 5);
    donjon_hasher_free(hasher);
}

static void an_unknown_user_costs_what_a_known_one_does(void) {
    donjon_hasher *hasher = new_hasher(NULL, "{\"memory_kib\":2048,\"time_cost\":1,\"allow_weak\":true}");
    uint8_t hash[DONJON_PASSWORD_HASH_MAX];
    size_t len = hashed(hasher, WORDS, hash);
    double known = 1e9, unknown = 1e9;
    for (int i = 0; i < 7; i++) {
        double start = seconds();
        CHECK_STATUS(verified(hasher, "another", hash, len), DONJON_PASSWORD_MISMATCH);
        double between = seconds();
        CHECK_STATUS(donjon_hasher_verify_unknown_user(hasher, TEXT("another"), NOW), DONJON_PASSWORD_MISMATCH);
        double end = seconds();
        known = between - start < known ? between - start : known;
        unknown = end - between < unknown ? end - between : unknown;
    }
    CHECK(unknown < 2 * known && known < 2 * unknown);
    CHECK_STATUS(donjon_hasher_verify_unknown_user(hasher, NULL, 0, NOW), DONJON_PASSWORD_MISMATCH);
    donjon_hasher_free(hasher);
}

static void who_has_no_password_is_nobody(void) {
    donjon_hasher *hasher = new_hasher(NULL, WEAK);
    static const char *const UNUSABLE[] = {"", "!", "!Hn4M1bQ8wLr2TzYc7vKd0sXe5uJpA9gF3oWi6qB"};
    for (size_t i = 0; i < sizeof UNUSABLE / sizeof *UNUSABLE; i++) {
        CHECK_STATUS(verified(hasher, WORDS, TEXT(UNUSABLE[i])), DONJON_PASSWORD_MISMATCH);
        CHECK_STATUS(verified(hasher, "", TEXT(UNUSABLE[i])), DONJON_PASSWORD_MISMATCH);
        CHECK_STATUS(verified(hasher, UNUSABLE[i], TEXT(UNUSABLE[i])), DONJON_PASSWORD_MISMATCH);
    }
    CHECK_STATUS(verified(hasher, "", NULL, 0), DONJON_PASSWORD_MISMATCH);
    donjon_hasher_free(hasher);
}

static void a_pepper_is_named_needed_and_rotated(void) {
    const char *spec = "{\"password-pepper\":\"HS256\"}";
    donjon_keyring *before = NULL, *after = NULL, *changed = NULL, *tokens = new_keyring();
    donjon_hasher *hasher = NULL;
    CHECK_STATUS(donjon_hasher_new(tokens, NULL, 0, &hasher), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_generate(TEXT(spec), NOW, &before), DONJON_OK);
    CHECK_STATUS(donjon_keyring_rotate(before, TEXT("password-pepper"), NULL, 0, NOW, 60, &after), DONJON_OK);
    donjon_hasher *old = new_hasher(before, WEAK), *rotated = new_hasher(after, WEAK), *plain = new_hasher(NULL, WEAK);
    uint8_t hash[DONJON_PASSWORD_HASH_MAX + 1], bare[DONJON_PASSWORD_HASH_MAX];
    size_t len = hashed(old, WORDS, hash), bare_len = hashed(plain, WORDS, bare);
    hash[len] = 0;
    CHECK(strstr((char *)hash, ",p=1,keyid=") != NULL);
    donjon_password_verdict verdict = {7, 7};
    CHECK_STATUS(verified(old, WORDS, hash, len), DONJON_OK);
    CHECK_STATUS(donjon_hasher_verify(rotated, TEXT(WORDS), hash, len, NOW, &verdict), DONJON_OK);
    CHECK(verdict.needs_rehash == 1);
    CHECK_STATUS(verified(rotated, "another", hash, len), DONJON_PASSWORD_MISMATCH);
    CHECK_STATUS(donjon_hasher_verify(rotated, TEXT(WORDS), hash, len, NOW + 60, &verdict), DONJON_KEY_EXPIRED);
    CHECK_STATUS(verified(plain, WORDS, hash, len), DONJON_UNKNOWN_KEY);
    CHECK_STATUS(donjon_hasher_verify(old, TEXT(WORDS), bare, bare_len, NOW, &verdict), DONJON_OK);
    CHECK(verdict.needs_rehash == 1);
    /* The old pepper by its id: the only one of the keyring that made it. */
    uint8_t summary[4096];
    size_t summary_len = 0;
    CHECK_STATUS(donjon_keyring_summary(before, summary, sizeof summary - 1, &summary_len), DONJON_OK);
    summary[summary_len] = 0;
    char *purpose = strstr((char *)summary, "\"password-pepper\",\"status\":\"primary\"");
    CHECK(purpose != NULL);
    char *kid = (char *)summary;
    for (char *next = kid; next != NULL && next < purpose; next = strstr(next + 1, "\"kid\":\"")) {
        kid = next;
    }
    kid += strlen("\"kid\":\"");
    size_t kid_len = (size_t)(strchr(kid, '"') - kid);
    static const struct {
        const char *status;
        int32_t expected;
    } CASES[] = {{"disabled", DONJON_KEY_DISABLED}, {"destroyed", DONJON_KEY_DESTROYED}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK_STATUS(donjon_keyring_set_status(after, (const uint8_t *)kid, kid_len, TEXT(CASES[i].status), DONJON_NEVER, &changed), DONJON_OK);
        hasher = new_hasher(changed, WEAK);
        donjon_keyring_free(changed);
        CHECK_STATUS(verified(hasher, WORDS, hash, len), CASES[i].expected);
        donjon_hasher_free(hasher);
    }
    /* Hashers outlive the keyrings that they were made of. */
    donjon_keyring_free(before);
    donjon_keyring_free(after);
    donjon_keyring_free(tokens);
    CHECK_STATUS(verified(old, WORDS, hash, len), DONJON_OK);
    donjon_hasher_free(plain);
    donjon_hasher_free(rotated);
    donjon_hasher_free(old);
}

static void passwords_are_judged(void) {
    uint8_t out[1024];
    size_t len = 0;
    const char *inputs = "[\"Ann Miller\",\"ann@example.com\"]";
    CHECK_STATUS(donjon_password_strength(NULL, 0, TEXT("Tq4&vz8!Lm2@"), TEXT(inputs), out, sizeof out - 1, &len), DONJON_OK);
    out[len] = 0;
    CHECK(strstr((char *)out, "{\"valid\":true,\"score\":1,") == (char *)out);
    CHECK_STATUS(donjon_password_strength(TEXT("nist-800-63b-4"), TEXT("AnnMiller2024!!"), TEXT(inputs), out, sizeof out - 1, &len), DONJON_OK);
    out[len] = 0;
    CHECK(strstr((char *)out, "{\"valid\":false,\"score\":0.5,\"checks\":{\"length\":true,\"common\":false},") == (char *)out);
    CHECK_STATUS(donjon_password_strength(TEXT("strong"), TEXT("x"), NULL, 0, out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_password_strength(NULL, 0, (const uint8_t *)"\xff", 1, NULL, 0, out, sizeof out, &len), DONJON_MALFORMED);
    static const char *const BAD[] = {"{}", "[1]", "[\"a\"", "\"a\"", "[[\"a\"]]", "null", "[\"\\ud800\"]"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        CHECK_STATUS(donjon_password_strength(NULL, 0, TEXT("x"), TEXT(BAD[i]), out, sizeof out, &len), DONJON_MALFORMED);
    }
    char many[512] = "[\"a\"";
    for (int i = 0; i < 16; i++) {
        strcat(many, ",\"a\"");
    }
    strcat(many, "]");
    CHECK_STATUS(donjon_password_strength(NULL, 0, TEXT("x"), TEXT(many), out, sizeof out, &len), DONJON_TOO_LARGE);
    /* This library is built without zxcvbn. */
    CHECK_STATUS(donjon_password_estimate(TEXT("x"), NULL, 0, out, sizeof out, &len), DONJON_UNSUPPORTED);

    CHECK_STATUS(donjon_password_breach_prefix(TEXT("password"), out, sizeof out, &len), DONJON_OK);
    CHECK(len == 5 && memcmp(out, "5BAA6", 5) == 0);
    uint64_t count = 7;
    CHECK_STATUS(donjon_password_breach_count(TEXT("password"), TEXT("1E4C9B93F3F0682250B6CF8331B7EE68FD8:52256179\r\n"), &count), DONJON_OK);
    CHECK(count == 52256179);
    CHECK_STATUS(donjon_password_breach_count(TEXT("another"), TEXT("1E4C9B93F3F0682250B6CF8331B7EE68FD8:18446744073709551615"), &count), DONJON_OK);
    CHECK(count == 0);
    count = 7;
    CHECK_STATUS(donjon_password_breach_count(TEXT("password"), TEXT("<html>"), &count), DONJON_MALFORMED);
    CHECK_STATUS(donjon_password_breach_count(TEXT("password"), NULL, 0, &count), DONJON_MALFORMED);
    size_t line = strlen("1E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n"), lines = (1 << 20) / line + 1;
    char *range = malloc(lines * line + 1);
    for (size_t i = 0; i < lines; i++) {
        memcpy(range + i * line, "1E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n", line + 1);
    }
    CHECK_STATUS(donjon_password_breach_count(TEXT("password"), (uint8_t *)range, lines * line, &count), DONJON_TOO_LARGE);
    CHECK(count == 7);
    CHECK_STATUS(donjon_password_breach_count(TEXT("password"), (uint8_t *)range, (lines - 1) * line, &count), DONJON_OK);
    free(range);
}

static void hostile_callers_of_passwords_are_refused(void) {
    donjon_hasher *hasher = new_hasher(NULL, WEAK), *made = NULL;
    uint8_t hash[DONJON_PASSWORD_HASH_MAX], out[1024];
    size_t hash_len = hashed(hasher, WORDS, hash), len = 0;
    donjon_password_verdict verdict;
    uint32_t needs_rehash = 0;
    uint64_t count = 0;
    const uint8_t *some = (const uint8_t *)"x";
#define HASH(out, cap, len) donjon_hasher_hash(hasher, TEXT(WORDS), NOW, out, cap, len)
#define STRENGTH(out, cap, len) donjon_password_strength(NULL, 0, TEXT("password"), TEXT("[\"a\"]"), out, cap, len)
#define PREFIX(out, cap, len) donjon_password_breach_prefix(TEXT("password"), out, cap, len)
    CHECK_BUFFER(HASH, DONJON_PASSWORD_HASH_MAX);
    CHECK_BUFFER(STRENGTH, 0);
    CHECK_BUFFER(PREFIX, 5);
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *b = BAD[i].bytes;
        size_t n = BAD[i].len;
        REFUSED(donjon_hasher_new(NULL, b, n, &made));
        REFUSED(donjon_hasher_hash(hasher, b, n, NOW, out, sizeof out, &len));
        REFUSED(donjon_hasher_hash(hasher, some, 1, NOW, out, BIG, &len));
        REFUSED(donjon_hasher_verify(hasher, b, n, hash, hash_len, NOW, &verdict));
        REFUSED(donjon_hasher_verify(hasher, some, 1, b, n, NOW, &verdict));
        REFUSED(donjon_hasher_verify_unknown_user(hasher, b, n, NOW));
        REFUSED(donjon_hasher_needs_rehash(hasher, b, n, NOW, &needs_rehash));
        REFUSED(donjon_password_strength(b, n, some, 1, NULL, 0, out, sizeof out, &len));
        REFUSED(donjon_password_strength(NULL, 0, b, n, NULL, 0, out, sizeof out, &len));
        REFUSED(donjon_password_strength(NULL, 0, some, 1, b, n, out, sizeof out, &len));
        REFUSED(donjon_password_estimate(b, n, NULL, 0, out, sizeof out, &len));
        REFUSED(donjon_password_estimate(some, 1, b, n, out, sizeof out, &len));
        REFUSED(donjon_password_breach_prefix(b, n, out, sizeof out, &len));
        REFUSED(donjon_password_breach_count(b, n, some, 1, &count));
        REFUSED(donjon_password_breach_count(some, 1, b, n, &count));
    }
    CHECK(made == NULL);
    REFUSED(donjon_hasher_new(NULL, NULL, 0, NULL));
    REFUSED(donjon_hasher_hash(NULL, some, 1, NOW, out, sizeof out, &len));
    REFUSED(donjon_hasher_verify(NULL, some, 1, hash, hash_len, NOW, &verdict));
    REFUSED(donjon_hasher_verify(hasher, some, 1, hash, hash_len, NOW, NULL));
    REFUSED(donjon_hasher_verify_unknown_user(NULL, some, 1, NOW));
    REFUSED(donjon_hasher_needs_rehash(NULL, hash, hash_len, NOW, &needs_rehash));
    REFUSED(donjon_hasher_needs_rehash(hasher, hash, hash_len, NOW, NULL));
    REFUSED(donjon_password_strength(NULL, 0, some, 1, NULL, 0, out, sizeof out, NULL));
    REFUSED(donjon_password_breach_count(some, 1, some, 1, NULL));
    donjon_hasher_free(NULL);
    donjon_hasher_free(hasher);
}

/* ---- memory, and threads that share it ---- */

enum { HASHERS = 8 };

static struct {
    donjon_hasher *hasher;
    pthread_barrier_t start;
} crowd;

static void *log_in(void *status) {
    uint8_t out[DONJON_PASSWORD_HASH_MAX];
    size_t len = 0;
    pthread_barrier_wait(&crowd.start);
    *(int32_t *)status = donjon_hasher_hash(crowd.hasher, TEXT(WORDS), NOW, out, sizeof out, &len);
    if (*(int32_t *)status == DONJON_OK) {
        donjon_password_verdict verdict;
        int32_t held;
        do {
            held = donjon_hasher_verify(crowd.hasher, TEXT(WORDS), out, len, NOW, &verdict);
        } while (held == DONJON_BUSY);
        *(int32_t *)status = held;
    }
    return NULL;
}

/* How many of the crowd came through; the others must have been told to come again. */
static int come_through(const char *config) {
    pthread_t threads[HASHERS];
    int32_t statuses[HASHERS];
    int through = 0;
    crowd.hasher = new_hasher(NULL, config);
    CHECK(pthread_barrier_init(&crowd.start, NULL, HASHERS) == 0);
    for (int i = 0; i < HASHERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, log_in, &statuses[i]) == 0);
    }
    for (int i = 0; i < HASHERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(statuses[i] == DONJON_OK || statuses[i] == DONJON_BUSY);
        through += statuses[i] == DONJON_OK;
    }
    pthread_barrier_destroy(&crowd.start);
    donjon_hasher_free(crowd.hasher);
    return through;
}

static void more_hashes_than_memory_wait_or_are_busy(void) {
    CHECK(come_through("{\"memory_kib\":64,\"time_cost\":2,\"allow_weak\":true,\"memory_budget_kib\":64,\"max_wait_ms\":60000}") == HASHERS);
    CHECK(come_through("{\"memory_kib\":64,\"time_cost\":2,\"allow_weak\":true,\"memory_budget_kib\":160,\"max_wait_ms\":60000}") == HASHERS);
    CHECK(come_through("{\"memory_kib\":64,\"time_cost\":2,\"allow_weak\":true,\"memory_budget_kib\":512,\"max_wait_ms\":0}") == HASHERS);
    int fewest = HASHERS;
    for (int i = 0; i < 20 && fewest == HASHERS; i++) {
        int through = come_through("{\"memory_kib\":1024,\"time_cost\":4,\"allow_weak\":true,\"memory_budget_kib\":1024,\"max_wait_ms\":0}");
        CHECK(through > 0);
        fewest = through < fewest ? through : fewest;
    }
    CHECK(fewest < HASHERS);
}

static void run_passwords(void) {
    RUN(a_password_matches_its_own_hash_only);
    RUN(passwords_are_bytes_of_a_bounded_length);
    RUN(bcrypt_is_read_where_it_is_enabled_and_says_what_it_cut);
    RUN(stored_hashes_that_ask_for_too_much_are_refused_at_once);
    RUN(configurations_of_hashers_are_checked);
    RUN(a_probe_for_the_length_hashes_nothing);
    RUN(an_unknown_user_costs_what_a_known_one_does);
    RUN(who_has_no_password_is_nobody);
    RUN(a_pepper_is_named_needed_and_rotated);
    RUN(passwords_are_judged);
    RUN(hostile_callers_of_passwords_are_refused);
    RUN(more_hashes_than_memory_wait_or_are_busy);
}
