/* Limits, lock-out and the client's address through the C ABI, and what a hostile caller gets, for test_donjon.c. */

#define NOW_MS INT64_C(1700000000000)

static donjon_limits *new_limits(const char *config) {
    donjon_limits *limits = NULL;
    CHECK_STATUS(donjon_limits_new(TEXT(config), &limits), DONJON_OK);
    CHECK(limits != NULL);
    return limits;
}

static donjon_proxies *new_proxies(const char *config) {
    donjon_proxies *proxies = NULL;
    CHECK_STATUS(donjon_proxies_new(TEXT(config), &proxies), DONJON_OK);
    return proxies;
}

static const char LOCKOUT_KEYS[] = "{\"token\":\"EdDSA\",\"state-binding\":\"HS256\",\"device\":\"HS256\"}";

static donjon_lockout *new_lockout(void) {
    donjon_keyring *keyring = NULL;
    donjon_lockout *lockout = NULL;
    CHECK_STATUS(donjon_keyring_generate(TEXT(LOCKOUT_KEYS), NOW, &keyring), DONJON_OK);
    CHECK_STATUS(donjon_lockout_new(keyring, &lockout), DONJON_OK);
    /* It outlives its keyring. */
    donjon_keyring_free(keyring);
    return lockout;
}

/* What one key holds between two calls. */
typedef struct {
    uint8_t state[DONJON_LIMIT_STATE_MAX];
    size_t len;
} stored;

static donjon_limit_verdict take(const donjon_limits *limits, stored *key, int64_t now_ms, uint32_t cost) {
    donjon_limit_verdict verdict;
    uint8_t next[DONJON_LIMIT_STATE_MAX];
    size_t len = 0;
    CHECK_STATUS(donjon_limits_spend(limits, key->state, key->len, now_ms, cost, &verdict, next, sizeof next, &len), DONJON_OK);
    memcpy(key->state, next, len);
    key->len = len;
    return verdict;
}

static void limits_have_their_pinned_layout(void) {
    CHECK(sizeof(donjon_limit_verdict) == 48);
    CHECK(offsetof(donjon_limit_verdict, allowed) == 0 && offsetof(donjon_limit_verdict, never_allowed) == 4);
    CHECK(offsetof(donjon_limit_verdict, limit) == 8 && offsetof(donjon_limit_verdict, remaining) == 12);
    CHECK(offsetof(donjon_limit_verdict, index) == 16 && offsetof(donjon_limit_verdict, table_full) == 20);
    CHECK(offsetof(donjon_limit_verdict, reset_after_ms) == 24 && offsetof(donjon_limit_verdict, retry_after_ms) == 32);
    CHECK(offsetof(donjon_limit_verdict, keep_ms) == 40);
    CHECK(sizeof(donjon_client) == 100);
    CHECK(offsetof(donjon_client, ip) == 0 && offsetof(donjon_client, ip_len) == 46 && offsetof(donjon_client, from_header) == 47);
    CHECK(offsetof(donjon_client, bucket) == 48 && offsetof(donjon_client, bucket_len) == 98 && offsetof(donjon_client, reserved) == 99);
    CHECK(DONJON_LIMITS_MAX == 8 && DONJON_LIMIT_STATE_MAX == 3152);
    CHECK(DONJON_LIMIT_HEADERS_X == 1 && DONJON_LIMIT_HEADERS_IETF == 2);
    CHECK(DONJON_RATE_LIMITED == 120 && DONJON_STORE_UNAVAILABLE == 121);
    donjon_limits_free(NULL);
    donjon_lockout_free(NULL);
    donjon_proxies_free(NULL);
}

static void a_limit_lets_so_many_through(void) {
    donjon_limits *limits = new_limits("{\"limits\":\"5/minute; 100/hour\",\"algorithm\":\"gcra\"}");
    stored key = {.len = 0};
    for (uint32_t i = 0; i < 5; i++) {
        donjon_limit_verdict verdict = take(limits, &key, NOW_MS, 1);
        CHECK(verdict.allowed == 1 && verdict.remaining == 4 - i && verdict.retry_after_ms == 0 && verdict.limit == 5 && verdict.index == 0);
        CHECK(key.len == 46 && verdict.keep_ms == (i + 1) * 36000 && verdict.reset_after_ms == (i + 1) * 12000);
    }
    donjon_limit_verdict refused = take(limits, &key, NOW_MS, 1);
    CHECK(refused.allowed == 0 && refused.never_allowed == 0 && refused.retry_after_ms == 12000);
    donjon_limit_verdict never = take(limits, &key, NOW_MS, 6);
    CHECK(never.allowed == 0 && never.never_allowed == 1 && never.retry_after_ms == -1);
#define X_HEADERS(out, cap, len) donjon_limits_headers(limits, &refused, NOW_MS, DONJON_LIMIT_HEADERS_X, out, cap, len)
#define IETF_HEADERS(out, cap, len) donjon_limits_headers(limits, &never, NOW_MS, DONJON_LIMIT_HEADERS_IETF, out, cap, len)
#define BODY(out, cap, len) donjon_limits_refusal(&refused, NOW_MS, NULL, 0, out, cap, len)
#define NEVER_BODY(out, cap, len) donjon_limits_refusal(&never, NOW_MS, TEXT("LUCID_ERR_3010"), out, cap, len)
#define DESCRIPTION(out, cap, len) donjon_limits_describe(limits, out, cap, len)
#define ARGS(out, cap, len) donjon_limits_script_args(limits, 1, DONJON_NEVER, out, cap, len)
#define SCRIPT(out, cap, len) donjon_limits_script(limits, out, cap, len)
#define SWAP_SCRIPT(out, cap, len) donjon_compare_and_set_script(out, cap, len)
#define PROFILES(out, cap, len) donjon_limit_profiles(out, cap, len)
    SAYS(X_HEADERS, "[[\"X-RateLimit-Limit\",\"5\"],[\"X-RateLimit-Remaining\",\"0\"],[\"X-RateLimit-Reset\",\"1700000060\"],[\"Retry-After\",\"12\"]]");
    SAYS(IETF_HEADERS, "[[\"RateLimit-Policy\",\"\\\"5/60s\\\";q=5;w=60, \\\"100/3600s\\\";q=100;w=3600\"],[\"RateLimit\",\"\\\"5/60s\\\";r=0;t=60\"]]");
    SAYS(BODY, "{\"error\":{\"code\":\"rate_limited\",\"message\":\"Rate limit exceeded\",\"details\":{\"limit\":5,\"remaining\":0,\"reset_time\":1700000060,\"retry_after\":12}}}");
    SAYS(NEVER_BODY, "{\"error\":{\"code\":\"LUCID_ERR_3010\",\"message\":\"Rate limit exceeded\",\"details\":{\"limit\":5,\"remaining\":0,\"reset_time\":1700000060,\"retry_after\":null}}}");
    SAYS(DESCRIPTION, "{\"algorithm\":\"gcra\",\"limits\":[{\"amount\":5,\"period_s\":60,\"burst\":5},{\"amount\":100,\"period_s\":3600,\"burst\":100}]}");
    CHECK_BUFFER(X_HEADERS, 0);
    CHECK_BUFFER(IETF_HEADERS, 0);
    CHECK_BUFFER(BODY, 0);
    CHECK_BUFFER(NEVER_BODY, 0);
    CHECK_BUFFER(DESCRIPTION, 0);
    CHECK_BUFFER(ARGS, 0);
    CHECK_BUFFER(SCRIPT, 0);
    CHECK_BUFFER(SWAP_SCRIPT, 0);
    CHECK_BUFFER(PROFILES, 0);
    uint8_t back[64];
    size_t len = 0;
    CHECK_STATUS(donjon_limits_give_back(limits, key.state, key.len, NOW_MS, NOW_MS, 1, back, sizeof back, &len), DONJON_OK);
    memcpy(key.state, back, len);
    key.len = len;
    CHECK(take(limits, &key, NOW_MS, 0).remaining == 1);
    CHECK(take(limits, &key, NOW_MS + 60000, 5).allowed == 1);
    donjon_limits_free(limits);
}

static void every_length_of_a_state_is_read_and_refilled_by_none(void) {
    static const char *const CONFIGS[] = {
        "{\"limits\":\"3/minute\"}", "{\"limits\":\"3/minute; 9/hour\",\"algorithm\":\"token_bucket\"}", "{\"limits\":\"3/minute\",\"algorithm\":\"fixed_window\"}",
        "{\"limits\":\"3/minute\",\"algorithm\":\"sliding_window\"}", "{\"limits\":\"64/minute\",\"algorithm\":\"sliding_log\"}", "{\"lockout\":{\"attempts\":3}}",
    };
    static const int64_t TIMES[] = {0, 1, NOW_MS, (INT64_C(1) << 47) - 1, INT64_C(1) << 47, INT64_MAX};
    for (size_t i = 0; i < sizeof CONFIGS / sizeof *CONFIGS; i++) {
        donjon_limits *limits = new_limits(CONFIGS[i]);
        stored key = {.len = 0};
        uint32_t whole = take(limits, &key, NOW_MS, 3).limit;
        for (size_t cut = 1; cut < key.len; cut++) {
            /* The state ends where its memory ends: what reads on is found by the sanitizer. */
            uint8_t *torn = malloc(cut);
            memcpy(torn, key.state, cut);
            for (size_t t = 0; t < sizeof TIMES / sizeof *TIMES; t++) {
                donjon_limit_verdict verdict;
                uint8_t next[DONJON_LIMIT_STATE_MAX];
                size_t len = 0;
                CHECK_STATUS(donjon_limits_spend(limits, torn, cut, TIMES[t], 1, &verdict, next, sizeof next, &len), DONJON_OK);
                /* Cut between two limits' states, it is the state of the first of them. */
                CHECK((verdict.allowed == 0 && verdict.remaining == 0) || (i == 1 && cut == 23));
                CHECK_STATUS(donjon_limits_give_back(limits, torn, cut, TIMES[t], TIMES[t], UINT32_MAX, next, sizeof next, &len), DONJON_OK);
            }
            free(torn);
        }
        for (size_t at = 0; at < key.len; at++) {
            for (int bit = 0; bit < 8; bit++) {
                stored flipped = key;
                flipped.state[at] ^= (uint8_t)(1 << bit);
                donjon_limit_verdict verdict = take(limits, &flipped, NOW_MS, UINT32_MAX);
                CHECK(verdict.allowed == 0 && verdict.never_allowed == 1 && verdict.remaining <= whole);
                (void)take(limits, &flipped, 0, 1);
                (void)take(limits, &flipped, INT64_MAX, 1);
            }
        }
        donjon_limits_free(limits);
    }
    static uint8_t noise[1 << 20];
    memset(noise, 0x11, sizeof noise);
    donjon_limits *limits = new_limits("{\"limits\":\"3/minute\"}");
    donjon_limit_verdict verdict;
    uint8_t next[DONJON_LIMIT_STATE_MAX];
    size_t len = 0;
    CHECK_STATUS(donjon_limits_spend(limits, noise, sizeof noise, NOW_MS, 1, &verdict, next, sizeof next, &len), DONJON_OK);
    CHECK(verdict.allowed == 0 && len == 23);
    donjon_limits_free(limits);
}

static void the_longest_state_is_as_long_as_the_header_says(void) {
    donjon_limits *limits = new_limits("{\"limits\":\"64/second;64/minute;64/hour;64/day;64/2 days;64/3 days;64/4 days;64/5 days\",\"algorithm\":\"sliding_log\"}");
    static stored key;
    donjon_limit_verdict verdict = take(limits, &key, NOW_MS, 64);
    CHECK(verdict.allowed == 1 && key.len == DONJON_LIMIT_STATE_MAX);
    donjon_limit_verdict kept;
    static uint8_t next[DONJON_LIMIT_STATE_MAX];
    size_t len = 0;
    memset(&kept, UNTOUCHED, sizeof kept);
    memset(next, UNTOUCHED, sizeof next);
    CHECK_STATUS(donjon_limits_spend(limits, key.state, key.len, NOW_MS, 1, &kept, next, DONJON_LIMIT_STATE_MAX - 1, &len), DONJON_BUFFER_TOO_SMALL);
    CHECK(len == DONJON_LIMIT_STATE_MAX && is_untouched((uint8_t *)&kept, sizeof kept) && is_untouched(next, sizeof next));
    donjon_limits_free(limits);
}

static void configurations_of_limits_are_read_strictly(void) {
    static const char *const BAD[] = {
        "", "{", "[]", "null", "{}", "{\"limits\":\"5/minute\"}x", "{\"limits\":\"5/minute\",\"limits\":\"6/minute\"}", "{\"limits\":\"5/minute\",\"algorithm\":\"gcra\",\"algorithm\":\"gcra\"}",
        "{\"limits\":\"5/minute\\u0000\"}", "{\"limits\":\"5/minute\",\"burst\":1e3}", "{\"limits\":\"5/minute\",\"burst\":5.0}", "{\"limits\":\"5/minute\",\"burst\":true}",
        "{\"lockout\":{\"attempts\":5,\"attempts\":6}}", "{\"lockout\":[5]}", "{\"profile\":\"deepinsight/\"}", "{\"profile\":null}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        donjon_limits *limits = NULL;
        CHECK_STATUS(donjon_limits_new(TEXT(BAD[i]), &limits), DONJON_CONFIG_ERROR);
        CHECK(limits == NULL);
    }
#define BAD_LIMITS(out, cap, len) donjon_limits_diagnose(TEXT("{\"limits\":\"5/minute; 10/fortnight\"}"), out, cap, len)
#define GOOD_LIMITS(out, cap, len) donjon_limits_diagnose(TEXT("{\"limits\":\"5/minute; 10/hour\"}"), out, cap, len)
#define BAD_PROXIES(out, cap, len) donjon_proxies_diagnose(TEXT("{\"header\":\"forwarded\",\"trusted\":[\"::/0\",\"10.0.0.5/8\"]}"), out, cap, len)
#define GOOD_PROXIES(out, cap, len) donjon_proxies_diagnose(NULL, 0, out, cap, len)
    static uint8_t said[4096];
    size_t len = 0;
    WHERE(BAD_LIMITS, "limits");
    CHECK(strstr((char *)said, " at byte 13\"") != NULL);
    WHERE(BAD_PROXIES, "trusted[1]");
    SAYS(GOOD_LIMITS, "null");
    SAYS(GOOD_PROXIES, "null");
    CHECK_BUFFER(BAD_LIMITS, 0);
    CHECK_BUFFER(GOOD_LIMITS, 4);
    CHECK_BUFFER(BAD_PROXIES, 0);
}

static void a_lock_out_names_no_one_and_a_known_device_is_not_locked_out(void) {
    donjon_lockout *lockout = new_lockout();
    static uint8_t counters[1024], known[1024], token[2048];
    size_t counters_len = 0, known_len = 0, token_len = 0, bound = donjon_purpose_tokens_bound(6, 2);
    CHECK(bound <= sizeof token);
#define COUNTERS(out, cap, len) donjon_lockout_counters(lockout, TEXT("ann"), TEXT("192.0.2.7"), NULL, 0, NULL, 0, NULL, 0, NOW, out, cap, len)
#define TOKEN(out, cap, len) donjon_lockout_device_token(lockout, TEXT("u1"), TEXT("hash"), 3600, NOW, out, cap, len)
#define KNOWN(out, cap, len) donjon_lockout_counters(lockout, TEXT("ann"), TEXT("192.0.2.7"), TEXT("u1"), TEXT("hash"), token, token_len, NOW, out, cap, len)
    CHECK_STATUS(COUNTERS(counters, sizeof counters - 1, &counters_len), DONJON_OK);
    CHECK(strncmp((char *)counters, "[{\"key\":\"address:", 17) == 0 && strstr((char *)counters, "\"key\":\"account:") != NULL);
    CHECK(strstr((char *)counters, "ann") == NULL && strstr((char *)counters, "192") == NULL);
    CHECK_STATUS(TOKEN(token, sizeof token, &token_len), DONJON_OK);
    CHECK_STATUS(KNOWN(known, sizeof known - 1, &known_len), DONJON_OK);
    CHECK(strncmp((char *)known, "[{\"key\":\"device:", 16) == 0 && strstr((char *)known, "account") == NULL);
    /* A token that is anything but good is as if there were none. */
    for (size_t i = 0; i < token_len; i++) {
        uint8_t kept = token[i];
        token[i] ^= 1;
        CHECK_STATUS(KNOWN(known, sizeof known, &known_len), DONJON_OK);
        CHECK(known_len == counters_len && memcmp(known, counters, counters_len) == 0);
        token[i] = kept;
    }
    CHECK_STATUS(donjon_lockout_counters(lockout, TEXT("ann"), TEXT("192.0.2.7"), TEXT("u1"), TEXT("another hash"), token, token_len, NOW, known, sizeof known, &known_len), DONJON_OK);
    CHECK(known_len == counters_len && memcmp(known, counters, counters_len) == 0);
    CHECK_BUFFER(COUNTERS, 0);
    CHECK_BUFFER(TOKEN, bound);
    CHECK_BUFFER(KNOWN, 0);
    donjon_keyring *keyring = new_keyring();
    donjon_lockout *none = NULL;
    CHECK_STATUS(donjon_lockout_new(keyring, &none), DONJON_CONFIG_ERROR);
    CHECK(none == NULL);
    donjon_keyring_free(keyring);
    donjon_lockout_free(lockout);
}

static void the_client_is_the_peer_unless_a_proxy_says_otherwise(void) {
    donjon_proxies *none = NULL, *proxies = new_proxies("{\"header\":\"x-forwarded-for\",\"trusted\":[\"10.0.0.0/8\"]}");
    CHECK_STATUS(donjon_proxies_new(NULL, 0, &none), DONJON_OK);
    donjon_client client;
#define IS_CLIENT(address, network) \
    (client.ip_len == strlen(address) && memcmp(client.ip, address, client.ip_len) == 0 && client.bucket_len == strlen(network) && memcmp(client.bucket, network, client.bucket_len) == 0)
    CHECK_STATUS(donjon_proxies_client(none, TEXT("[2001:db8:1:2::3%eth0]:443"), TEXT("192.0.2.1"), &client), DONJON_OK);
    CHECK(IS_CLIENT("2001:db8:1:2::3", "2001:db8:1:2::/64") && client.from_header == 0 && client.reserved == 0);
    for (size_t i = client.ip_len; i < sizeof client.ip; i++) {
        CHECK(client.ip[i] == 0);
    }
    CHECK_STATUS(donjon_proxies_client(proxies, TEXT("10.0.0.1:9"), TEXT("192.0.2.1\n::ffff:192.0.2.9, 10.7.7.7"), &client), DONJON_OK);
    CHECK(IS_CLIENT("192.0.2.9", "192.0.2.9") && client.from_header == 1);
    CHECK_STATUS(donjon_proxies_client(proxies, TEXT("198.51.100.1"), TEXT("192.0.2.1"), &client), DONJON_OK);
    CHECK(IS_CLIENT("198.51.100.1", "198.51.100.1") && client.from_header == 0);
    memset(&client, UNTOUCHED, sizeof client);
    CHECK_STATUS(donjon_proxies_client(proxies, TEXT("@"), TEXT("192.0.2.1"), &client), DONJON_MALFORMED);
    CHECK_STATUS(donjon_proxies_client(proxies, NULL, 0, NULL, 0, &client), DONJON_MALFORMED);
    CHECK(is_untouched((uint8_t *)&client, sizeof client));
    /* Whatever a client writes into the header, a proxy's word stands behind it. */
    static uint8_t lines[1 << 20];
    for (int letter = 0; letter < 256; letter++) {
        static const char END[] = ", 203.0.113.9";
        memset(lines, letter, sizeof lines);
        memcpy(lines + sizeof lines - strlen(END), END, strlen(END));
        CHECK_STATUS(donjon_proxies_client(proxies, TEXT("10.0.0.1"), lines, sizeof lines, &client), DONJON_OK);
        CHECK(IS_CLIENT("203.0.113.9", "203.0.113.9"));
    }
    donjon_proxies_free(none);
    donjon_proxies_free(proxies);
}

static donjon_limit_table *new_table(const char *config) {
    donjon_limit_table *table = NULL;
    CHECK_STATUS(donjon_limit_table_new(TEXT(config), &table), DONJON_OK);
    return table;
}

static donjon_limit_table_statistics stats_of(const donjon_limit_table *table) {
    donjon_limit_table_statistics stats;
    CHECK_STATUS(donjon_limit_table_stats(table, &stats), DONJON_OK);
    return stats;
}

/* Whether a cost of 1 is let through. */
static int admits(const donjon_limit_table *table, const donjon_limits *limits, const char *key, int64_t now_ms) {
    donjon_limit_verdict verdict = {.allowed = 7};
    CHECK_STATUS(donjon_limit_table_spend(table, limits, TEXT(key), now_ms, 1, &verdict), DONJON_OK);
    CHECK(verdict.allowed <= 1);
    return verdict.allowed == 1;
}

static void a_table_counts_keys_and_forgets_none_that_is_locked(void) {
    donjon_limits *lockout = new_limits("{\"lockout\":{\"attempts\":5}}"), *limits = new_limits("{\"limits\":\"3/minute\"}");
    donjon_limit_table *table = new_table("{\"capacity\":100}");
    for (int i = 0; i < 6; i++) {
        CHECK(admits(table, lockout, "account:victim", NOW_MS) == (i < 5));
    }
    /* One who wants the lock gone comes from everywhere. */
    char address[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(address, sizeof address, "address:%d", i);
        (void)admits(table, limits, address, NOW_MS + i);
    }
    CHECK(!admits(table, lockout, "account:victim", NOW_MS + 20000));
    donjon_limit_table_statistics stats = stats_of(table);
    CHECK(stats.capacity >= 100 && stats.capacity <= 120 && stats.entries <= stats.capacity && stats.evicted > 19000 && stats.bytes > 0 && stats.bytes < 1 << 20);
    CHECK_STATUS(donjon_limit_table_forget(table, TEXT("account:victim")), DONJON_OK);
    CHECK(admits(table, lockout, "account:victim", NOW_MS + 20000));
    CHECK_STATUS(donjon_limit_table_give_back(table, lockout, TEXT("account:victim"), NOW_MS + 20000, NOW_MS + 20001, 1), DONJON_OK);
    donjon_limit_verdict verdict;
    CHECK_STATUS(donjon_limit_table_spend(table, lockout, TEXT("account:victim"), NOW_MS + 20001, 0, &verdict), DONJON_OK);
    CHECK(verdict.allowed == 1 && verdict.remaining == 5 && verdict.table_full == 0);
    donjon_limit_table_free(table);

    /* Full of locks: no place for anybody else, and both policies say so. */
    static const char *const FULL[] = {"{\"capacity\":10,\"when_full\":\"refuse\"}", "{\"capacity\":10,\"when_full\":\"allow\"}"};
    for (uint32_t allows = 0; allows < 2; allows++) {
        table = new_table(FULL[allows]);
        for (int i = 0; i < 100; i++) {
            snprintf(address, sizeof address, "account:%d", i);
            CHECK_STATUS(donjon_limit_table_spend(table, lockout, TEXT(address), NOW_MS, 5, &verdict), DONJON_OK);
        }
        CHECK(verdict.table_full == 1 && verdict.allowed == allows);
        CHECK(!admits(table, lockout, "account:0", NOW_MS));
        stats = stats_of(table);
        CHECK(stats.refused > 0 && stats.evicted == 0 && stats.entries <= stats.capacity);
        /* When the first lock ends there is a place again. */
        CHECK_STATUS(donjon_limit_table_spend(table, limits, TEXT("another"), NOW_MS + 900000, 1, &verdict), DONJON_OK);
        CHECK(verdict.allowed == 1 && verdict.table_full == 0 && stats_of(table).expired > 0);
        donjon_limit_table_free(table);
    }
    donjon_limits_free(lockout);
    donjon_limits_free(limits);
}

static void hostile_callers_of_tables_are_refused(void) {
    CHECK(sizeof(donjon_limit_table_statistics) == 48 && DONJON_LIMIT_KEY_MAX == 1024);
    CHECK(offsetof(donjon_limit_table_statistics, entries) == 0 && offsetof(donjon_limit_table_statistics, capacity) == 8);
    CHECK(offsetof(donjon_limit_table_statistics, expired) == 16 && offsetof(donjon_limit_table_statistics, evicted) == 24);
    CHECK(offsetof(donjon_limit_table_statistics, refused) == 32 && offsetof(donjon_limit_table_statistics, bytes) == 40);
    donjon_limit_table_free(NULL);
    donjon_limits *limits = new_limits("{\"limits\":\"3/minute\"}");
    donjon_limit_table *table = new_table(""), *none = NULL;
    donjon_limit_verdict verdict;
    static struct {
        int64_t aligned;
        uint8_t room[256];
    } room;
    static uint8_t long_key[DONJON_LIMIT_KEY_MAX + 1];
    memset(&verdict, UNTOUCHED, sizeof verdict);
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        REFUSED(donjon_limit_table_new(BAD[i].bytes, BAD[i].len, &none));
        REFUSED(donjon_limit_table_spend(table, limits, BAD[i].bytes, BAD[i].len, NOW_MS, 1, &verdict));
        REFUSED(donjon_limit_table_give_back(table, limits, BAD[i].bytes, BAD[i].len, NOW_MS, NOW_MS, 1));
        REFUSED(donjon_limit_table_forget(table, BAD[i].bytes, BAD[i].len));
    }
    static const char *const CONFIGS[] = {
        "[]", "{\"capacity\":0}", "{\"capacity\":100000001}", "{\"capacity\":-1}", "{\"capacity\":1e2}", "{\"capacity\":\"1\"}", "{\"when_full\":\"evict\"}", "{\"when_full\":true}", "{\"size\":1}",
        "{\"capacity\":1,\"capacity\":1}",
    };
    for (size_t i = 0; i < sizeof CONFIGS / sizeof *CONFIGS; i++) {
        CHECK_STATUS(donjon_limit_table_new(TEXT(CONFIGS[i]), &none), DONJON_CONFIG_ERROR);
    }
    REFUSED(donjon_limit_table_new(NULL, 0, NULL));
    REFUSED(donjon_limit_table_spend(NULL, limits, TEXT("a"), NOW_MS, 1, &verdict));
    REFUSED(donjon_limit_table_spend(table, NULL, TEXT("a"), NOW_MS, 1, &verdict));
    REFUSED(donjon_limit_table_spend(table, limits, TEXT("a"), NOW_MS, 1, NULL));
    REFUSED(donjon_limit_table_spend(table, limits, TEXT("a"), -1, 1, &verdict));
    REFUSED(donjon_limit_table_spend(table, limits, TEXT("a"), NOW_MS, 1, (donjon_limit_verdict *)(void *)(room.room + 1)));
    REFUSED(donjon_limit_table_give_back(NULL, limits, TEXT("a"), NOW_MS, NOW_MS, 1));
    REFUSED(donjon_limit_table_give_back(table, NULL, TEXT("a"), NOW_MS, NOW_MS, 1));
    REFUSED(donjon_limit_table_give_back(table, limits, TEXT("a"), -1, NOW_MS, 1));
    REFUSED(donjon_limit_table_give_back(table, limits, TEXT("a"), NOW_MS, -1, 1));
    REFUSED(donjon_limit_table_forget(NULL, TEXT("a")));
    REFUSED(donjon_limit_table_stats(NULL, (donjon_limit_table_statistics *)(void *)room.room));
    REFUSED(donjon_limit_table_stats(table, NULL));
    REFUSED(donjon_limit_table_stats(table, (donjon_limit_table_statistics *)(void *)(room.room + 1)));
    CHECK_STATUS(donjon_limit_table_spend(table, limits, long_key, sizeof long_key, NOW_MS, 1, &verdict), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_limit_table_give_back(table, limits, long_key, sizeof long_key, NOW_MS, NOW_MS, 1), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_limit_table_forget(table, long_key, sizeof long_key), DONJON_TOO_LARGE);
    CHECK(is_untouched((uint8_t *)&verdict, sizeof verdict) && none == NULL && stats_of(table).entries == 0);
    CHECK_STATUS(donjon_limit_table_spend(table, limits, long_key, DONJON_LIMIT_KEY_MAX, INT64_MAX, UINT32_MAX, &verdict), DONJON_OK);
    CHECK(verdict.never_allowed == 1);
    /* An empty key is a key, and a key is not what it is a part of. */
    CHECK_STATUS(donjon_limit_table_spend(table, limits, NULL, 0, NOW_MS, 3, &verdict), DONJON_OK);
    CHECK(verdict.allowed == 1 && !admits(table, limits, "", NOW_MS) && admits(table, limits, "a", NOW_MS));
    CHECK_STATUS(donjon_limit_table_spend(table, limits, (const uint8_t *)"a\0b", 3, NOW_MS, 3, &verdict), DONJON_OK);
    CHECK(verdict.allowed == 1);
    donjon_limit_table_free(table);
    donjon_limits_free(limits);
}

static void hostile_callers_of_limits_are_refused(void) {
    donjon_limits *limits = new_limits("{\"limits\":\"5/minute\"}"), *made_limits = NULL;
    donjon_lockout *lockout = new_lockout(), *made_lockout = NULL;
    donjon_proxies *proxies = new_proxies("{}"), *made_proxies = NULL;
    donjon_limit_verdict verdict;
    donjon_client client;
    static uint8_t out[4096];
    size_t len = 0;
    memset(&verdict, UNTOUCHED, sizeof verdict);
    memset(&client, UNTOUCHED, sizeof client);
    memset(out, UNTOUCHED, sizeof out);
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *b = BAD[i].bytes;
        size_t n = BAD[i].len;
        REFUSED(donjon_limits_new(b, n, &made_limits));
        REFUSED(donjon_limits_diagnose(b, n, out, sizeof out, &len));
        REFUSED(donjon_limits_spend(limits, b, n, NOW_MS, 1, &verdict, out, sizeof out, &len));
        REFUSED(donjon_limits_give_back(limits, b, n, NOW_MS, NOW_MS, 1, out, sizeof out, &len));
        REFUSED(donjon_limits_refusal(&verdict, NOW_MS, b, n, out, sizeof out, &len));
        REFUSED(donjon_lockout_counters(lockout, b, n, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NOW, out, sizeof out, &len));
        REFUSED(donjon_lockout_counters(lockout, TEXT("a"), b, n, NULL, 0, NULL, 0, NULL, 0, NOW, out, sizeof out, &len));
        REFUSED(donjon_lockout_counters(lockout, TEXT("a"), NULL, 0, b, n, NULL, 0, NULL, 0, NOW, out, sizeof out, &len));
        REFUSED(donjon_lockout_counters(lockout, TEXT("a"), NULL, 0, NULL, 0, b, n, NULL, 0, NOW, out, sizeof out, &len));
        REFUSED(donjon_lockout_counters(lockout, TEXT("a"), NULL, 0, NULL, 0, NULL, 0, b, n, NOW, out, sizeof out, &len));
        REFUSED(donjon_lockout_device_token(lockout, b, n, NULL, 0, 60, NOW, out, sizeof out, &len));
        REFUSED(donjon_lockout_device_token(lockout, TEXT("a"), b, n, 60, NOW, out, sizeof out, &len));
        REFUSED(donjon_proxies_new(b, n, &made_proxies));
        REFUSED(donjon_proxies_diagnose(b, n, out, sizeof out, &len));
        REFUSED(donjon_proxies_client(proxies, b, n, NULL, 0, &client));
        REFUSED(donjon_proxies_client(proxies, TEXT("192.0.2.1"), b, n, &client));
    }
    REFUSED(donjon_limits_new(TEXT("{\"limits\":\"5/minute\"}"), NULL));
    REFUSED(donjon_limits_describe(NULL, out, sizeof out, &len));
    REFUSED(donjon_limits_spend(NULL, NULL, 0, NOW_MS, 1, &verdict, out, sizeof out, &len));
    REFUSED(donjon_limits_spend(limits, NULL, 0, NOW_MS, 1, NULL, out, sizeof out, &len));
    REFUSED(donjon_limits_spend(limits, NULL, 0, NOW_MS, 1, &verdict, out, sizeof out, NULL));
    REFUSED(donjon_limits_spend(limits, NULL, 0, NOW_MS, 1, &verdict, NULL, sizeof out, &len));
    REFUSED(donjon_limits_spend(limits, NULL, 0, NOW_MS, 1, &verdict, out, BIG, &len));
    REFUSED(donjon_limits_spend(limits, NULL, 0, -1, 1, &verdict, out, sizeof out, &len));
    REFUSED(donjon_limits_spend(limits, NULL, 0, INT64_MIN, 1, &verdict, out, sizeof out, &len));
    REFUSED(donjon_limits_give_back(NULL, NULL, 0, NOW_MS, NOW_MS, 1, out, sizeof out, &len));
    REFUSED(donjon_limits_give_back(limits, NULL, 0, -1, NOW_MS, 1, out, sizeof out, &len));
    REFUSED(donjon_limits_give_back(limits, NULL, 0, NOW_MS, -1, 1, out, sizeof out, &len));
    REFUSED(donjon_limits_script(NULL, out, sizeof out, &len));
    REFUSED(donjon_limits_script_args(NULL, 1, NOW_MS, out, sizeof out, &len));
    REFUSED(donjon_limits_script_args(limits, 1, -1, out, sizeof out, &len));
    REFUSED(donjon_limits_headers(NULL, &verdict, NOW_MS, 1, out, sizeof out, &len));
    REFUSED(donjon_limits_headers(limits, NULL, NOW_MS, 1, out, sizeof out, &len));
    REFUSED(donjon_limits_refusal(NULL, NOW_MS, NULL, 0, out, sizeof out, &len));
    REFUSED(donjon_lockout_new(NULL, &made_lockout));
    REFUSED(donjon_lockout_counters(NULL, TEXT("a"), NULL, 0, NULL, 0, NULL, 0, NULL, 0, NOW, out, sizeof out, &len));
    REFUSED(donjon_lockout_counters(lockout, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NOW, out, sizeof out, &len));
    REFUSED(donjon_lockout_counters(lockout, TEXT("a"), NULL, 0, (const uint8_t *)"\xff", 1, NULL, 0, (const uint8_t *)"x", 1, NOW, out, sizeof out, &len));
    REFUSED(donjon_lockout_device_token(NULL, TEXT("a"), NULL, 0, 60, NOW, out, sizeof out, &len));
    REFUSED(donjon_proxies_new(NULL, 0, NULL));
    REFUSED(donjon_proxies_client(NULL, TEXT("192.0.2.1"), NULL, 0, &client));
    REFUSED(donjon_proxies_client(proxies, TEXT("192.0.2.1"), NULL, 0, NULL));
    /* What is no verdict of these limits. */
    static const uint32_t FIELDS[] = {0, 4, 5, 8, UINT32_MAX};
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        donjon_limit_verdict good = {.allowed = 1, .limit = 5};
        REFUSED(donjon_limits_headers(limits, &good, NOW_MS, FIELDS[i], out, sizeof out, &len));
    }
    static const donjon_limit_verdict WRONG[] = {
        {.allowed = 1, .index = 1}, {.allowed = 1, .index = 256}, {.allowed = 1, .index = UINT32_MAX}, {.allowed = 1, .never_allowed = 1}, {.allowed = 2}, {.never_allowed = 2},
        {.retry_after_ms = -1}, {.retry_after_ms = INT64_MIN}, {.allowed = 1, .reset_after_ms = -1}, {.allowed = 1, .keep_ms = -1},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        REFUSED(donjon_limits_headers(limits, &WRONG[i], NOW_MS, DONJON_LIMIT_HEADERS_X, out, sizeof out, &len));
    }
    REFUSED(donjon_limits_headers(limits, &(donjon_limit_verdict){.allowed = 1}, -1, DONJON_LIMIT_HEADERS_X, out, sizeof out, &len));
    REFUSED(donjon_limits_refusal(&(donjon_limit_verdict){.retry_after_ms = -2}, NOW_MS, NULL, 0, out, sizeof out, &len));
    REFUSED(donjon_limits_refusal(&(donjon_limit_verdict){.retry_after_ms = 1}, -1, NULL, 0, out, sizeof out, &len));
    /* Structs where none can be. */
    static struct {
        int64_t aligned;
        uint8_t room[256];
    } room;
    REFUSED(donjon_limits_spend(limits, NULL, 0, NOW_MS, 1, (donjon_limit_verdict *)(void *)(room.room + 1), out, sizeof out, &len));
    REFUSED(donjon_limits_headers(limits, (const donjon_limit_verdict *)(void *)(room.room + 4), NOW_MS, DONJON_LIMIT_HEADERS_X, out, sizeof out, &len));
    REFUSED(donjon_limits_refusal((const donjon_limit_verdict *)(void *)(room.room + 1), NOW_MS, NULL, 0, out, sizeof out, &len));
    REFUSED(donjon_limits_new(TEXT("{\"limits\":\"5/minute\"}"), (donjon_limits **)(void *)(room.room + 1)));
    REFUSED(donjon_limits_describe(limits, out, sizeof out, (size_t *)(void *)(room.room + 1)));
    CHECK(is_untouched((uint8_t *)&verdict, sizeof verdict) && is_untouched((uint8_t *)&client, sizeof client) && is_untouched(out, sizeof out));
    CHECK(made_limits == NULL && made_lockout == NULL && made_proxies == NULL);
    /* The largest numbers that there are are numbers. */
    CHECK_STATUS(donjon_limits_headers(limits, &(donjon_limit_verdict){.limit = UINT32_MAX, .remaining = UINT32_MAX, .reset_after_ms = INT64_MAX, .retry_after_ms = INT64_MAX, .keep_ms = INT64_MAX},
                                       INT64_MAX, 3, out, sizeof out, &len), DONJON_OK);
    CHECK_STATUS(donjon_limits_refusal(&(donjon_limit_verdict){.reset_after_ms = INT64_MAX, .retry_after_ms = INT64_MAX}, INT64_MAX, (const uint8_t *)"\xff", 1, out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_limits_spend(limits, NULL, 0, INT64_MAX, UINT32_MAX, &verdict, out, sizeof out, &len), DONJON_OK);
    CHECK(verdict.never_allowed == 1 && len == 0);
    donjon_proxies_free(proxies);
    donjon_lockout_free(lockout);
    donjon_limits_free(limits);
}

static struct {
    donjon_limits *limits;
    donjon_proxies *proxies;
    donjon_lockout *lockout;
    donjon_limit_table *table;
    _Atomic int admitted;
} shared_limits;

static void *limit(void *failures) {
    stored key = {.len = 0};
    for (int i = 0; i < 200; i++) {
        donjon_client client;
        uint8_t counters[512];
        size_t len = 0;
        int allowed = take(shared_limits.limits, &key, NOW_MS, 1).allowed == 1;
        int32_t status = donjon_proxies_client(shared_limits.proxies, TEXT("10.0.0.1"), TEXT("2001:db8::1"), &client);
        *(int *)failures += allowed != (i < 100) || status != DONJON_OK || client.from_header != 1;
        status = donjon_lockout_counters(shared_limits.lockout, TEXT("ann"), client.bucket, client.bucket_len, NULL, 0, NULL, 0, NULL, 0, NOW, counters, sizeof counters, &len);
        *(int *)failures += status != DONJON_OK || len == 0;
        /* Eight threads for one key, and for a crowd of others that push one another out. */
        shared_limits.admitted += admits(shared_limits.table, shared_limits.limits, "one", NOW_MS);
        char other[32];
        snprintf(other, sizeof other, "%p %d", failures, i);
        (void)admits(shared_limits.table, shared_limits.limits, other, NOW_MS);
    }
    return NULL;
}

static void threads_share_limits(void) {
    shared_limits.limits = new_limits("{\"limits\":\"100/minute\"}");
    shared_limits.proxies = new_proxies("{\"header\":\"x-forwarded-for\",\"trusted\":[\"10.0.0.0/8\"]}");
    shared_limits.lockout = new_lockout();
    shared_limits.table = new_table("{\"capacity\":50}");
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, limit, &failures[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    CHECK(shared_limits.admitted == 100);
    donjon_limit_table_free(shared_limits.table);
    donjon_lockout_free(shared_limits.lockout);
    donjon_proxies_free(shared_limits.proxies);
    donjon_limits_free(shared_limits.limits);
}

static void run_limits(void) {
    RUN(limits_have_their_pinned_layout);
    RUN(a_limit_lets_so_many_through);
    RUN(every_length_of_a_state_is_read_and_refilled_by_none);
    RUN(the_longest_state_is_as_long_as_the_header_says);
    RUN(configurations_of_limits_are_read_strictly);
    RUN(a_lock_out_names_no_one_and_a_known_device_is_not_locked_out);
    RUN(the_client_is_the_peer_unless_a_proxy_says_otherwise);
    RUN(a_table_counts_keys_and_forgets_none_that_is_locked);
    RUN(hostile_callers_of_tables_are_refused);
    RUN(hostile_callers_of_limits_are_refused);
    RUN(threads_share_limits);
}
