/* Sessions, refresh families and revocation through the C ABI, and what a hostile caller gets, for test_donjon.c. */

static const char SESSION_KEYS[] =
    "{\"token\":\"EdDSA\",\"state-binding\":\"HS256\",\"device\":\"HS256\",\"csrf\":\"HS256\",\"envelope\":\"HS256\"}";

static donjon_keyring *new_session_keyring(void) {
    donjon_keyring *keyring = NULL;
    CHECK_STATUS(donjon_keyring_generate(TEXT(SESSION_KEYS), NOW, &keyring), DONJON_OK);
    return keyring;
}

static donjon_sessions *new_sessions(const char *config) {
    donjon_keyring *keyring = new_session_keyring();
    donjon_sessions *sessions = NULL;
    CHECK_STATUS(donjon_sessions_new(keyring, TEXT(config), &sessions), DONJON_OK);
    CHECK(sessions != NULL);
    /* They outlive their keyring. */
    donjon_keyring_free(keyring);
    return sessions;
}

static donjon_revocations *new_revocations(donjon_keyring *keyring, const char *config) {
    donjon_revocations *revocations = NULL;
    CHECK_STATUS(donjon_revocations_new(keyring, TEXT(config), &revocations), DONJON_OK);
    return revocations;
}

/* A user's record in a store, what a client was given last, and what was said of it. */
typedef struct {
    const donjon_sessions *sessions;
    uint8_t record[65536], next[65536], session[16384];
    size_t len, next_len, session_len;
    uint8_t id[DONJON_SESSION_ID_LEN], state[DONJON_REFRESH_STATE_LEN];
    donjon_session_verdict verdict;
} user;

static const char FIREFOX[] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

#define OUT_OF(u) &(u)->verdict, (u)->next, sizeof(u)->next, &(u)->next_len, (u)->session, sizeof(u)->session, &(u)->session_len
#define FROM TEXT("192.0.2.7"), TEXT(FIREFOX)

/* What a host does with a decision. */
static int32_t settle(user *u, int32_t called) {
    CHECK_STATUS(called, DONJON_OK);
    CHECK(u->verdict.reserved == 0 && u->verdict.write <= DONJON_SESSION_WRITE_MAY);
    if (u->verdict.write != DONJON_SESSION_WRITE_NOTHING) {
        memcpy(u->record, u->next, u->next_len);
        u->len = u->next_len;
        CHECK((u->len == 0) == (u->verdict.keep_ms == 0));
    }
    return u->verdict.status;
}

static int32_t begin_session(user *u, int64_t now_ms) {
    return settle(u, donjon_sessions_create(u->sessions, u->record, u->len, TEXT("ann"), FROM, TEXT("Laptop"), TEXT("data"), now_ms, 0, u->id, OUT_OF(u)));
}

static int32_t check_in(user *u, const uint8_t *id, int64_t now_ms) {
    return settle(u, donjon_sessions_check(u->sessions, u->record, u->len, id, DONJON_SESSION_ID_LEN, FROM, now_ms, 0, OUT_OF(u)));
}

static int32_t begin_tokens(user *u, int64_t now_ms) {
    return settle(u, donjon_sessions_begin_family(u->sessions, u->record, u->len, TEXT("ann"), FROM, TEXT("Phone"), NULL, 0, now_ms, 0, u->state, OUT_OF(u)));
}

static int32_t refresh_tokens(user *u, const char *family, int64_t generation, int64_t now_ms) {
    return settle(u, donjon_sessions_refresh(u->sessions, u->record, u->len, TEXT("ann"), TEXT(family), generation, now_ms / 1000, FROM, now_ms, 0, u->state, OUT_OF(u)));
}

static int has(const uint8_t *text, size_t len, const char *part) {
    size_t part_len = strlen(part);
    for (size_t at = 0; at + part_len <= len; at++) {
        if (memcmp(text + at, part, part_len) == 0) {
            return 1;
        }
    }
    return 0;
}

static void sessions_have_their_pinned_layout(void) {
    CHECK(sizeof(donjon_session_verdict) == 16);
    CHECK(offsetof(donjon_session_verdict, status) == 0 && offsetof(donjon_session_verdict, reason) == 4 && offsetof(donjon_session_verdict, write) == 5);
    CHECK(offsetof(donjon_session_verdict, changes) == 6 && offsetof(donjon_session_verdict, reserved) == 7 && offsetof(donjon_session_verdict, keep_ms) == 8);
    CHECK(sizeof(donjon_marker_verdict) == 24);
    CHECK(offsetof(donjon_marker_verdict, since_ms) == 0 && offsetof(donjon_marker_verdict, keep_ms) == 8 && offsetof(donjon_marker_verdict, write) == 16);
    CHECK(offsetof(donjon_marker_verdict, reason) == 17 && offsetof(donjon_marker_verdict, reserved) == 18);
    CHECK(DONJON_SESSION_ID_LEN == 64 && DONJON_CSRF_TOKEN_LEN == 64 && DONJON_SET_COOKIE_MAX == 1024 && DONJON_MARKER_LEN == 24);
    CHECK(DONJON_SESSION_REASON_NONE == 0 && DONJON_SESSION_REASON_UNKNOWN == 1 && DONJON_SESSION_REASON_MALFORMED == 2 && DONJON_SESSION_REASON_IDLE == 3);
    CHECK(DONJON_SESSION_REASON_ABSOLUTE == 4 && DONJON_SESSION_REASON_ADDRESS == 5 && DONJON_SESSION_REASON_USER_AGENT == 6 && DONJON_SESSION_REASON_STORE == 7);
    CHECK(DONJON_SESSION_REASON_FOREIGN == 8 && DONJON_SESSION_WRITE_NOTHING == 0 && DONJON_SESSION_WRITE_MUST == 1 && DONJON_SESSION_WRITE_MAY == 2);
    CHECK(DONJON_SESSION_CHANGED_ADDRESS == 1 && DONJON_SESSION_CHANGED_USER_AGENT == 2);
    CHECK(DONJON_SESSIONS_ONE == 1 && DONJON_SESSIONS_OTHERS == 2 && DONJON_SESSIONS_ALL == 3);
    CHECK(DONJON_REVOKED_TOKEN == 1 && DONJON_REVOKED_FAMILY == 2 && DONJON_REVOKED_SUBJECT == 3 && DONJON_REVOKED_KEY == 4);
    static const struct {
        int32_t status, number, http;
        const char *name;
    } STATUSES[] = {
        {DONJON_INVALID_SESSION, 140, 401, "invalid_session"}, {DONJON_STEP_UP_REQUIRED, 141, 401, "step_up_required"}, {DONJON_SESSION_LIMIT, 142, 409, "session_limit"},
        {DONJON_CSRF_FAILED, 143, 403, "csrf_failed"}, {DONJON_CROSS_SITE, 144, 403, "cross_site"}, {DONJON_REVOCATION_SET_STALE, 145, 503, "revocation_set_stale"},
    };
    for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
        CHECK(STATUSES[i].status == STATUSES[i].number && donjon_status_http(STATUSES[i].status) == STATUSES[i].http);
        CHECK(strcmp(donjon_status_str(STATUSES[i].status), STATUSES[i].name) == 0);
    }
    donjon_sessions_free(NULL);
    donjon_revocations_free(NULL);
    donjon_revocation_set_free(NULL);
    CHECK(donjon_sessions_record_bound(NULL) == 0 && donjon_sessions_session_bound(NULL) == 0);
    CHECK(donjon_revocation_set_bound(0) > 0 && donjon_revocation_set_bound(BIG) == 0 && donjon_revocation_set_bound(SIZE_MAX) == 0);
}

static void a_session_lives_until_it_is_idle_rotated_or_revoked(void) {
    static user u;
    donjon_sessions *sessions = new_sessions("{\"idle_timeout_s\":100,\"absolute_timeout_s\":150,\"touch_interval_s\":10}");
    u = (user){.sessions = sessions};
    CHECK(begin_session(&u, NOW_MS) == DONJON_OK && u.verdict.write == DONJON_SESSION_WRITE_MUST && u.verdict.keep_ms == 160000);
    CHECK(has(u.session, u.session_len, "\"network\":\"192.0.2.0/24\",\"evicted\":[]") && !has(u.record, u.len, (char *)u.id));
    uint8_t key[128], keys[256], id[DONJON_SESSION_ID_LEN], old[DONJON_SESSION_ID_LEN];
    size_t key_len = 0, keys_len = 0;
    memcpy(id, u.id, sizeof id);
    /* The id says where its record is. */
    CHECK_STATUS(donjon_sessions_key(sessions, id, sizeof id, key, sizeof key, &key_len), DONJON_OK);
    CHECK_STATUS(donjon_sessions_keys(sessions, TEXT("ann"), keys, sizeof keys, &keys_len), DONJON_OK);
    CHECK(memcmp(keys, "[\"", 2) == 0 && memcmp(keys + 2, key, key_len) == 0);

    CHECK(check_in(&u, id, NOW_MS + 9999) == DONJON_OK && u.verdict.write == DONJON_SESSION_WRITE_NOTHING);
    CHECK(check_in(&u, id, NOW_MS + 90000) == DONJON_OK && u.verdict.write == DONJON_SESSION_WRITE_MAY);
    CHECK(check_in(&u, id, 0) == DONJON_OK);
    static const user NOBODY;
    user *stranger = malloc(sizeof *stranger);
    *stranger = u;
    CHECK(settle(stranger, donjon_sessions_check(sessions, u.record, u.len, id, sizeof id, TEXT("198.51.100.1"), TEXT(FIREFOX), NOW_MS, 0, OUT_OF(stranger))) == DONJON_INVALID_SESSION);
    CHECK(stranger->verdict.reason == DONJON_SESSION_REASON_ADDRESS && stranger->verdict.changes == DONJON_SESSION_CHANGED_ADDRESS && stranger->len == 0);
    *stranger = NOBODY;
    free(stranger);
    CHECK(check_in(&u, id, NOW_MS + 150000) == DONJON_EXPIRED && u.verdict.reason == DONJON_SESSION_REASON_ABSOLUTE && u.len == 0);

    u = (user){.sessions = sessions};
    CHECK(begin_session(&u, NOW_MS) == DONJON_OK);
    memcpy(old, u.id, sizeof old);
    CHECK(settle(&u, donjon_sessions_rotate(sessions, u.record, u.len, old, sizeof old, FROM, TEXT("admin"), NOW_MS + 1, 0, u.id, OUT_OF(&u))) == DONJON_OK);
    CHECK(memcmp(old, u.id, sizeof old) != 0 && check_in(&u, u.id, NOW_MS + 2) == DONJON_OK && has(u.session, u.session_len, "\"data\":\"YWRtaW4\""));
    CHECK(check_in(&u, old, NOW_MS + 2) == DONJON_INVALID_SESSION && u.verdict.reason == DONJON_SESSION_REASON_UNKNOWN && u.session_len == 0);
    /* A store that began anew does not know it. */
    CHECK_STATUS(donjon_sessions_check(sessions, u.record, u.len, u.id, sizeof u.id, FROM, NOW_MS, NOW_MS + 1, OUT_OF(&u)), DONJON_OK);
    CHECK(u.verdict.status == DONJON_INVALID_SESSION && u.verdict.reason == DONJON_SESSION_REASON_STORE);
    CHECK(settle(&u, donjon_sessions_revoke(sessions, u.record, u.len, TEXT("ann"), DONJON_SESSIONS_ONE, u.id, sizeof u.id, NOW_MS, 0, OUT_OF(&u))) == DONJON_OK && u.len == 0);
    CHECK(check_in(&u, u.id, NOW_MS) == DONJON_INVALID_SESSION);
    donjon_sessions_free(sessions);
}

static void the_oldest_sign_in_goes(void) {
    static user u;
    donjon_sessions *evicting = new_sessions("{\"max_per_user\":2}"), *refusing = new_sessions("{\"max_per_user\":2,\"at_limit\":\"refuse\"}");
    uint8_t ids[3][DONJON_SESSION_ID_LEN], listed[8192];
    size_t len = 0;
    u = (user){.sessions = evicting};
    for (int i = 0; i < 3; i++) {
        CHECK(begin_session(&u, NOW_MS + i) == DONJON_OK);
        memcpy(ids[i], u.id, sizeof u.id);
    }
    CHECK(has(u.session, u.session_len, "\"evicted\":[{\"handle\":\"") && check_in(&u, ids[0], NOW_MS + 3) == DONJON_INVALID_SESSION);
    CHECK(check_in(&u, ids[1], NOW_MS + 3) == DONJON_OK && check_in(&u, ids[2], NOW_MS + 3) == DONJON_OK);
    CHECK_STATUS(donjon_sessions_list(evicting, u.record, u.len, TEXT("ann"), ids[2], sizeof ids[2], NOW_MS + 3, 0, listed, sizeof listed, &len), DONJON_OK);
    CHECK(has(listed, len, "\"current\":false},{") && has(listed, len, "\"current\":true}]"));
    CHECK_STATUS(donjon_sessions_list(evicting, u.record, u.len, TEXT("bob"), NULL, 0, NOW_MS + 3, 0, listed, sizeof listed, &len), DONJON_OK);
    CHECK(len == 2 && memcmp(listed, "[]", 2) == 0);
    CHECK(settle(&u, donjon_sessions_revoke(evicting, u.record, u.len, TEXT("ann"), DONJON_SESSIONS_OTHERS, ids[2], sizeof ids[2], NOW_MS + 3, 0, OUT_OF(&u))) == DONJON_OK);
    CHECK(check_in(&u, ids[1], NOW_MS + 3) == DONJON_INVALID_SESSION && check_in(&u, ids[2], NOW_MS + 3) == DONJON_OK);
    CHECK(settle(&u, donjon_sessions_revoke(evicting, u.record, u.len, TEXT("ann"), DONJON_SESSIONS_ALL, NULL, 0, NOW_MS + 3, 0, OUT_OF(&u))) == DONJON_OK && u.len == 0);

    u = (user){.sessions = refusing};
    CHECK(begin_session(&u, NOW_MS) == DONJON_OK && begin_tokens(&u, NOW_MS) == DONJON_OK);
    memset(u.id, UNTOUCHED, sizeof u.id);
    CHECK(begin_session(&u, NOW_MS) == DONJON_SESSION_LIMIT && u.verdict.write == DONJON_SESSION_WRITE_NOTHING && is_untouched(u.id, sizeof u.id));
    donjon_sessions_free(evicting);
    donjon_sessions_free(refusing);
}

static void a_family_in_a_record_rotates_and_reuse_ends_it(void) {
    static user u;
    donjon_sessions *sessions = new_sessions("{\"refresh_grace_ms\":1000,\"sealed\":true}");
    u = (user){.sessions = sessions};
    CHECK(begin_tokens(&u, NOW_MS) == DONJON_OK && u.record[0] == 2);
    uint8_t family[32];
    size_t len = 0;
    CHECK_STATUS(donjon_refresh_family(u.state, sizeof u.state, family, sizeof family - 1, &len), DONJON_OK);
    family[len] = 0;
    CHECK(refresh_tokens(&u, (char *)family, 0, NOW_MS + 10) == DONJON_OK && u.verdict.write == DONJON_SESSION_WRITE_MUST);
    CHECK(refresh_tokens(&u, (char *)family, 0, NOW_MS + 500) == DONJON_OK && u.verdict.write == DONJON_SESSION_WRITE_NOTHING);
    CHECK(refresh_tokens(&u, (char *)family, 2, NOW_MS + 500) == DONJON_STATE_STALE && u.verdict.write == DONJON_SESSION_WRITE_NOTHING);
    memset(u.state, UNTOUCHED, sizeof u.state);
    CHECK(refresh_tokens(&u, (char *)family, 0, NOW_MS + 1011) == DONJON_REUSE_DETECTED && u.verdict.write == DONJON_SESSION_WRITE_MUST && u.len == 0);
    CHECK(refresh_tokens(&u, (char *)family, 1, NOW_MS + 1012) == DONJON_REVOKED && is_untouched(u.state, sizeof u.state));
    donjon_sessions_free(sessions);
}

static void requests_show_where_they_come_from(void) {
    donjon_sessions *sessions = new_sessions("{\"trusted_origins\":[\"https://app.example\"]}");
    static const char ID[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v";
    uint8_t token[DONJON_CSRF_TOKEN_LEN], out[DONJON_SET_COOKIE_MAX];
    size_t len = 0, cap = DONJON_CSRF_TOKEN_LEN;
#define COOKIE(out, cap, len) donjon_sessions_cookie(sessions, TEXT(ID), out, cap, len)
#define CLEARED(out, cap, len) donjon_sessions_cookie(sessions, NULL, 0, out, cap, len)
#define CSRF_COOKIE(out, cap, len) donjon_sessions_csrf_cookie(sessions, TEXT(ID), out, cap, len)
#define CSRF_TOKEN(out, cap, len) donjon_sessions_csrf_token(sessions, TEXT(ID), out, cap, len)
#define READ(out, cap, len) donjon_sessions_read_cookie(sessions, TEXT("a=b; __Host-session=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"), out, cap, len)
    SAYS(COOKIE, "__Host-session=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax");
    SAYS(CLEARED, "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    SAYS(READ, ID);
    CHECK_BUFFER(COOKIE, 0);
    CHECK_BUFFER(CLEARED, 0);
    CHECK_BUFFER(CSRF_COOKIE, 0);
    CHECK_BUFFER(CSRF_TOKEN, DONJON_CSRF_TOKEN_LEN);
    CHECK_BUFFER(READ, DONJON_SESSION_ID_LEN);
    static const struct {
        const char *header;
        int32_t status;
    } HEADERS[] = {
        {"", DONJON_OK}, {"a=b", DONJON_OK}, {"__host-session=x", DONJON_OK}, {"__Host-session", DONJON_OK}, {"__Host-session=", DONJON_INVALID_SESSION},
        {"__Host-session=x", DONJON_INVALID_SESSION}, {"__Host-session=x; __Host-session=x", DONJON_INVALID_SESSION},
    };
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++) {
        len = 7;
        CHECK_STATUS(donjon_sessions_read_cookie(sessions, TEXT(HEADERS[i].header), NULL, 0, &len), HEADERS[i].status);
        CHECK(len == (HEADERS[i].status == DONJON_OK ? 0 : 7));
    }
    static uint8_t long_header[16385];
    memset(long_header, 'a', sizeof long_header);
    CHECK_STATUS(donjon_sessions_read_cookie(sessions, long_header, sizeof long_header - 1, NULL, 0, &len), DONJON_OK);
    CHECK_STATUS(donjon_sessions_read_cookie(sessions, long_header, sizeof long_header, NULL, 0, &len), DONJON_TOO_LARGE);
    /* Nothing that is not an id or a token gets into a header. */
    static const char *const INJECTED[] = {"x", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4=", "AAAA\r\nSet-Cookie: a=b"};
    for (size_t i = 0; i < sizeof INJECTED / sizeof *INJECTED; i++) {
        CHECK_STATUS(donjon_sessions_cookie(sessions, TEXT(INJECTED[i]), out, sizeof out, &len), DONJON_INVALID_SESSION);
        CHECK_STATUS(donjon_sessions_key(sessions, TEXT(INJECTED[i]), out, sizeof out, &len), DONJON_INVALID_SESSION);
        CHECK_STATUS(donjon_sessions_csrf_token(sessions, TEXT(INJECTED[i]), out, sizeof out, &len), DONJON_INVALID_SESSION);
        CHECK_STATUS(donjon_sessions_csrf_cookie(sessions, TEXT(INJECTED[i]), out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
    }

    CHECK_STATUS(donjon_sessions_csrf_token(sessions, TEXT(ID), token, cap, &len), DONJON_OK);
#define ASK(id, method, site, origin, host, token, len) \
    donjon_sessions_check_request(sessions, TEXT(id), TEXT(method), TEXT(site), TEXT(origin), TEXT(host), token, len)
    CHECK_STATUS(ASK(ID, "POST", "same-origin", "", "", token, sizeof token), DONJON_OK);
    CHECK_STATUS(ASK(ID, "POST", "", "https://a.example", "a.example", token, sizeof token), DONJON_OK);
    CHECK_STATUS(ASK(ID, "POST", "cross-site", "https://app.example", "a.example", token, sizeof token), DONJON_OK);
    CHECK_STATUS(ASK(ID, "GET", "cross-site", "https://evil.example", "a.example", NULL, 0), DONJON_OK);
    CHECK_STATUS(ASK("", "POST", "same-origin", "", "", NULL, 0), DONJON_OK);
    CHECK_STATUS(ASK(ID, "POST", "same-origin", "", "", NULL, 0), DONJON_CSRF_FAILED);
    CHECK_STATUS(ASK(ID, "POST", "same-origin", "", "", token, sizeof token - 1), DONJON_CSRF_FAILED);
    CHECK_STATUS(ASK("not an id", "POST", "same-origin", "", "", token, sizeof token), DONJON_CSRF_FAILED);
    CHECK_STATUS(ASK(ID, "POST", "cross-site", "", "", token, sizeof token), DONJON_CROSS_SITE);
    CHECK_STATUS(ASK(ID, "get", "same-site", "", "", token, sizeof token), DONJON_CROSS_SITE);
    CHECK_STATUS(ASK("", "POST", "", "null", "null", NULL, 0), DONJON_CROSS_SITE);
    donjon_sessions *others = new_sessions("");
    CHECK_STATUS(donjon_sessions_check_request(others, TEXT(ID), TEXT("POST"), NULL, 0, NULL, 0, NULL, 0, token, sizeof token), DONJON_CSRF_FAILED);
    donjon_sessions_free(others);
    donjon_sessions_free(sessions);
}

static void small_buffers_of_sessions_decide_nothing(void) {
    static user u;
    donjon_sessions *sessions = new_sessions("{\"max_per_user\":64}");
    size_t record_bound = donjon_sessions_record_bound(sessions), session_bound = donjon_sessions_session_bound(sessions);
    CHECK(record_bound > 0 && record_bound <= sizeof u.next && session_bound > 0 && session_bound <= sizeof u.session);
    u = (user){.sessions = sessions};
    CHECK(begin_session(&u, NOW_MS) == DONJON_OK);
    memset(&u.verdict, UNTOUCHED, sizeof u.verdict);
    memset(u.next, UNTOUCHED, sizeof u.next);
    memset(u.session, UNTOUCHED, sizeof u.session);
    uint8_t id[DONJON_SESSION_ID_LEN], old[DONJON_SESSION_ID_LEN], state[DONJON_REFRESH_STATE_LEN];
    memcpy(old, u.id, sizeof old);
    memset(id, UNTOUCHED, sizeof id);
    memset(state, UNTOUCHED, sizeof state);
    for (int i = 0; i < 4; i++) {
        size_t next_cap = i == 0 ? 0 : i == 1 ? record_bound - 1 : record_bound, session_cap = i == 2 ? 0 : session_bound - (i == 3);
        size_t next_len = 7, session_len = 7;
        uint8_t *next = i == 0 ? NULL : u.next, *session = i == 2 ? NULL : u.session;
#define OUT &u.verdict, next, next_cap, &next_len, session, session_cap, &session_len
#define TOO_SMALL(call) \
        do { \
            CHECK_STATUS(call, DONJON_BUFFER_TOO_SMALL); \
            CHECK(i < 2 ? next_len == record_bound && session_len == 7 : next_len == 7 && session_len == session_bound); \
            next_len = session_len = 7; \
        } while (0)
        TOO_SMALL(donjon_sessions_create(sessions, u.record, u.len, TEXT("ann"), FROM, NULL, 0, NULL, 0, NOW_MS, 0, id, OUT));
        TOO_SMALL(donjon_sessions_check(sessions, u.record, u.len, old, sizeof old, FROM, NOW_MS, 0, OUT));
        TOO_SMALL(donjon_sessions_rotate(sessions, u.record, u.len, old, sizeof old, FROM, NULL, 0, NOW_MS, 0, id, OUT));
        TOO_SMALL(donjon_sessions_begin_family(sessions, u.record, u.len, TEXT("ann"), FROM, NULL, 0, NULL, 0, NOW_MS, 0, state, OUT));
        TOO_SMALL(donjon_sessions_refresh(sessions, u.record, u.len, TEXT("ann"), TEXT("x"), 0, NOW, FROM, NOW_MS, 0, state, OUT));
    }
    CHECK(is_untouched((uint8_t *)&u.verdict, sizeof u.verdict) && is_untouched(u.next, sizeof u.next) && is_untouched(u.session, sizeof u.session));
    CHECK(is_untouched(id, sizeof id) && is_untouched(state, sizeof state));
    /* What went is told, or nothing goes. */
    size_t next_len = 7, len = 0;
    CHECK_STATUS(donjon_sessions_revoke(sessions, u.record, u.len, TEXT("ann"), DONJON_SESSIONS_ALL, NULL, 0, NOW_MS, 0, &u.verdict, u.next, record_bound, &next_len, NULL, 0, &len), DONJON_BUFFER_TOO_SMALL);
    CHECK(len > 0 && is_untouched((uint8_t *)&u.verdict, sizeof u.verdict) && is_untouched(u.next, sizeof u.next));
#define KEYS(out, cap, len) donjon_sessions_keys(sessions, TEXT("ann"), out, cap, len)
#define KEY(out, cap, len) donjon_sessions_key(sessions, old, sizeof old, out, cap, len)
#define LIST(out, cap, told) donjon_sessions_list(sessions, u.record, u.len, TEXT("ann"), NULL, 0, NOW_MS, 0, out, cap, told)
    CHECK_BUFFER(KEYS, 0);
    CHECK_BUFFER(KEY, 33);
    CHECK_BUFFER(LIST, 0);
    /* The longest record that there is fits into its bound, and so does the JSON of what had to go. */
    static uint8_t subject[1024], data[512];
    memset(subject, '\\', sizeof subject);
    memset(data, 0xff, sizeof data);
    static const char LABEL[] = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";
    u.len = 0;
    for (int i = 0; i < 66; i++) {
        CHECK(settle(&u, donjon_sessions_create(sessions, u.record, u.len, subject, sizeof subject, TEXT("2001:db8::1"), NULL, 0, TEXT(LABEL), data, sizeof data, INT64_MAX / 2, 0, id,
                                                &u.verdict, u.next, record_bound, &u.next_len, u.session, session_bound, &u.session_len)) == DONJON_OK);
    }
    donjon_sessions *one = new_sessions("{\"max_per_user\":1}");
    CHECK_STATUS(donjon_sessions_create(one, u.record, u.len, subject, sizeof subject, NULL, 0, NULL, 0, TEXT(LABEL), data, sizeof data, INT64_MAX / 2, 0, id, &u.verdict, u.next,
                                        record_bound, &u.next_len, u.session, session_bound, &u.session_len), DONJON_OK);
    CHECK(u.verdict.status == DONJON_OK && u.session_len <= session_bound);
    CHECK_STATUS(donjon_sessions_create(sessions, NULL, 0, subject, sizeof subject, NULL, 0, NULL, 0, NULL, 0, data, sizeof data, 0, 0, id, OUT_OF(&u)), DONJON_OK);
    static uint8_t long_subject[1025], long_data[513];
    memset(long_subject, 'a', sizeof long_subject);
    CHECK_STATUS(donjon_sessions_create(sessions, NULL, 0, long_subject, sizeof long_subject, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0, 0, id, OUT_OF(&u)), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_sessions_create(sessions, NULL, 0, TEXT("ann"), NULL, 0, NULL, 0, NULL, 0, long_data, sizeof long_data, 0, 0, id, OUT_OF(&u)), DONJON_TOO_LARGE);
    donjon_sessions_free(one);
    donjon_sessions_free(sessions);
}

static void a_damaged_record_is_nobodys(void) {
    static user u;
    for (int sealed = 0; sealed < 2; sealed++) {
        donjon_sessions *sessions = new_sessions(sealed ? "{\"sealed\":true}" : "{}");
        u = (user){.sessions = sessions};
        CHECK(begin_session(&u, NOW_MS) == DONJON_OK && begin_tokens(&u, NOW_MS) == DONJON_OK && begin_session(&u, NOW_MS) == DONJON_OK);
        static uint8_t listed[16384];
        size_t whole_len = 0, len = 0;
        CHECK_STATUS(donjon_sessions_list(sessions, u.record, u.len, TEXT("ann"), NULL, 0, NOW_MS, 0, listed, sizeof listed, &whole_len), DONJON_OK);
        for (size_t cut = 0; cut < u.len; cut++) {
            /* The record ends where its memory ends: what reads on is found by the sanitizer. */
            uint8_t *torn = malloc(cut + 1);
            memcpy(torn, u.record, cut);
            CHECK_STATUS(donjon_sessions_list(sessions, torn, cut, TEXT("ann"), NULL, 0, NOW_MS, 0, listed, sizeof listed, &len), DONJON_OK);
            CHECK(len == 2);
            CHECK_STATUS(donjon_sessions_check(sessions, torn, cut, u.id, sizeof u.id, FROM, NOW_MS, 0, OUT_OF(&u)), DONJON_OK);
            CHECK(u.verdict.status == DONJON_INVALID_SESSION && u.verdict.write == DONJON_SESSION_WRITE_NOTHING);
            free(torn);
        }
        for (size_t at = 0; at < u.len; at++) {
            u.record[at] ^= 1;
            CHECK_STATUS(donjon_sessions_list(sessions, u.record, u.len, TEXT("ann"), NULL, 0, NOW_MS, 0, listed, sizeof listed, &len), DONJON_OK);
            CHECK(len == 2 || (!sealed && len <= whole_len + 8));
            CHECK_STATUS(donjon_sessions_check(sessions, u.record, u.len, u.id, sizeof u.id, FROM, NOW_MS, 0, OUT_OF(&u)), DONJON_OK);
            CHECK(!sealed || u.verdict.status == DONJON_INVALID_SESSION);
            u.record[at] ^= 1;
        }
        /* Nor is it another user's, whoever moved it there. */
        CHECK_STATUS(donjon_sessions_revoke(sessions, u.record, u.len, TEXT("bob"), DONJON_SESSIONS_ONE, u.id, sizeof u.id, NOW_MS, 0, OUT_OF(&u)), DONJON_OK);
        CHECK(u.verdict.status == DONJON_INVALID_SESSION && u.verdict.write == DONJON_SESSION_WRITE_NOTHING);
        CHECK(check_in(&u, u.id, NOW_MS) == DONJON_OK);
        donjon_sessions_free(sessions);
    }
}

/* Values behind their lengths. */
static size_t behind_length(const uint8_t *value, size_t len, uint8_t *out) {
    out[0] = out[1] = 0;
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
    if (len > 0) {
        memcpy(out + 4, value, len);
    }
    return len + 4;
}

static void what_is_revoked_is_refused(void) {
    donjon_keyring *keyring = new_session_keyring();
    donjon_revocations *revocations = new_revocations(keyring, "");
    uint8_t out[2048], values[4096], record[2048], none[8] = {0};
    size_t len = 0, record_len = 0, values_len;
    int64_t keep_ms = 0, since_s = 0;
    /* Generated keyrings have a primary and the next: two tags. */
#define CHECK_REVOKED(id, family, iat, values, len) \
    donjon_revocations_check(revocations, TEXT("ann"), TEXT(id), TEXT(family), NULL, 0, iat, values, len, 0)
    CHECK_STATUS(donjon_revocations_check(revocations, NULL, 0, TEXT("t1"), NULL, 0, NULL, 0, NOW, none, 8, 0), DONJON_OK);
    CHECK_STATUS(donjon_revocations_revoke(revocations, DONJON_REVOKED_TOKEN, NULL, 0, TEXT("t1"), NULL, 0, NOW + 60, NOW_MS, 0, &keep_ms, record, sizeof record, &record_len), DONJON_OK);
    CHECK(record_len == 20 && keep_ms > 60000);
    for (int at = 0; at < 2; at++) {
        values_len = behind_length(record, at == 0 ? record_len : 0, values);
        values_len += behind_length(record, at == 1 ? record_len : 0, values + values_len);
        CHECK_STATUS(donjon_revocations_check(revocations, NULL, 0, TEXT("t1"), NULL, 0, NULL, 0, NOW, values, values_len, 0), DONJON_REVOKED);
        /* Whatever lies there counts; too few or too many values do not. */
        CHECK_STATUS(donjon_revocations_check(revocations, NULL, 0, TEXT("t2"), NULL, 0, NULL, 0, NOW, values, values_len, 0), DONJON_REVOKED);
        REFUSED(donjon_revocations_check(revocations, NULL, 0, TEXT("t1"), NULL, 0, NULL, 0, NOW, values, values_len - 1, 0));
        REFUSED(CHECK_REVOKED("t1", "", NOW, values, values_len));
    }
    CHECK_STATUS(donjon_revocations_check(revocations, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NOW, NULL, 0, NOW_MS), DONJON_REVOKED);
    CHECK_STATUS(donjon_revocations_check(revocations, NULL, 0, NULL, 0, NULL, 0, NULL, 0, DONJON_NEVER, NULL, 0, 0), DONJON_MISSING_CLAIM);

    CHECK_STATUS(donjon_revocations_revoke(revocations, DONJON_REVOKED_SUBJECT, TEXT("ann"), NULL, 0, NULL, 0, DONJON_NEVER, NOW_MS, 0, &keep_ms, record, sizeof record, &record_len), DONJON_OK);
    values_len = behind_length(record, record_len, values);
    values_len += behind_length(NULL, 0, values + values_len);
    CHECK_STATUS(CHECK_REVOKED("", "", NOW, values, values_len), DONJON_REVOKED);
    CHECK_STATUS(donjon_revocations_issue_since(revocations, TEXT("ann"), values, values_len, 0, &since_s), DONJON_OK);
    CHECK(since_s == NOW);
    CHECK_STATUS(CHECK_REVOKED("", "", NOW + 3, values, values_len), DONJON_OK);
#define REVOCATION_KEYS(out, cap, len) donjon_revocations_keys(revocations, TEXT("ann"), TEXT("t1"), TEXT("f"), TEXT("k"), out, cap, len)
#define REVOCATION_KEY(out, cap, len) donjon_revocations_key(revocations, DONJON_REVOKED_FAMILY, TEXT("ann"), TEXT("f"), out, cap, len)
#define RECORD(out, cap, len) donjon_revocations_revoke(revocations, DONJON_REVOKED_KEY, NULL, 0, TEXT("k"), NULL, 0, DONJON_NEVER, NOW_MS, 0, &keep_ms, out, cap, len)
    CHECK_BUFFER(REVOCATION_KEYS, 0);
    CHECK_BUFFER(REVOCATION_KEY, 0);
    CHECK_BUFFER(RECORD, 19);
    keep_ms = 7;
    CHECK_STATUS(donjon_revocations_revoke(revocations, DONJON_REVOKED_KEY, NULL, 0, TEXT("k"), NULL, 0, DONJON_NEVER, NOW_MS, 0, &keep_ms, out, 18, &len), DONJON_BUFFER_TOO_SMALL);
    CHECK(keep_ms == 7 && len == 19);
    static const uint32_t KINDS[] = {0, 5, UINT32_MAX};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        REFUSED(donjon_revocations_key(revocations, KINDS[i], TEXT("ann"), TEXT("x"), out, sizeof out, &len));
        REFUSED(donjon_revocations_revoke(revocations, KINDS[i], TEXT("ann"), TEXT("x"), NULL, 0, 0, 0, 0, &keep_ms, out, sizeof out, &len));
    }
    donjon_revocations_free(revocations);
    donjon_keyring_free(keyring);
}

static void a_store_s_marker_tells_what_the_store_forgot(void) {
    uint8_t first[DONJON_MARKER_LEN], marker[DONJON_MARKER_LEN], seen[DONJON_MARKER_LEN];
    donjon_marker_verdict verdict;
    CHECK_STATUS(donjon_store_marker(NULL, 0, NULL, 0, 3600000, NOW_MS, first, &verdict), DONJON_OK);
    CHECK(verdict.since_ms == NOW_MS && verdict.write == 1 && verdict.reason == DONJON_MARKER_MISSING && verdict.keep_ms > 0);
    CHECK_STATUS(donjon_store_marker(first, sizeof first, first, sizeof first, 3600000, NOW_MS, marker, &verdict), DONJON_OK);
    CHECK(verdict.write == 0 && verdict.reason == 0 && memcmp(first, marker, sizeof first) == 0);
    CHECK_STATUS(donjon_store_marker(first, sizeof first, NULL, 0, 3600000, NOW_MS + 60000, marker, &verdict), DONJON_OK);
    CHECK(verdict.write == 2 && verdict.since_ms == NOW_MS);
    memcpy(seen, marker, sizeof seen);
    CHECK_STATUS(donjon_store_marker(first, sizeof first, seen, sizeof seen, 3600000, NOW_MS + 60000, marker, &verdict), DONJON_OK);
    CHECK(verdict.write == 1 && verdict.reason == DONJON_MARKER_ROLLED_BACK && verdict.since_ms == NOW_MS + 60000);
    CHECK_STATUS(donjon_store_marker(first, sizeof first, NULL, 0, 3600000, NOW_MS + 3600001, marker, &verdict), DONJON_OK);
    CHECK(verdict.reason == DONJON_MARKER_SILENT);
    /* A clock that is behind the store's beginning says nothing of the store. */
    CHECK_STATUS(donjon_store_marker(first, sizeof first, NULL, 0, 3600000, NOW_MS - 300000, marker, &verdict), DONJON_OK);
    memset(&verdict, UNTOUCHED, sizeof verdict);
    CHECK_STATUS(donjon_store_marker(first, sizeof first, NULL, 0, 3600000, NOW_MS - 300001, marker, &verdict), DONJON_STORE_UNAVAILABLE);
    CHECK(is_untouched((uint8_t *)&verdict, sizeof verdict));
    for (size_t cut = 1; cut < sizeof first; cut++) {
        CHECK_STATUS(donjon_store_marker(first, cut, NULL, 0, 3600000, NOW_MS, marker, &verdict), DONJON_OK);
        CHECK(verdict.reason == DONJON_MARKER_DAMAGED);
        REFUSED(donjon_store_marker(first, sizeof first, first, cut, 3600000, NOW_MS, marker, &verdict));
    }
}

static void an_offline_set_is_whole_or_nothing(void) {
    donjon_keyring *keyring = new_session_keyring(), *other = new_session_keyring();
    donjon_revocations *revocations = new_revocations(keyring, "");
    static uint8_t records[65536], set[131072];
    size_t records_len = 0, len = 0, cap;
    int64_t keep_ms = 0;
    for (int i = 0; i < 300; i++) {
        char id[16];
        uint8_t record[64];
        size_t record_len = 0;
        snprintf(id, sizeof id, "id-%d", i);
        uint32_t kind = i == 0 ? DONJON_REVOKED_KEY : i == 1 ? DONJON_REVOKED_SUBJECT : i % 2 ? DONJON_REVOKED_TOKEN : DONJON_REVOKED_FAMILY;
        CHECK_STATUS(donjon_revocations_revoke(revocations, kind, TEXT(id), TEXT(id), NULL, 0, DONJON_NEVER, NOW_MS, 0, &keep_ms, record, sizeof record, &record_len), DONJON_OK);
        records_len += behind_length(record, record_len, records + records_len);
    }
    cap = donjon_revocation_set_bound(records_len);
    CHECK(cap > 0 && cap <= sizeof set);
#define SIGN_SET(cap, len) donjon_revocation_set_sign(keyring, 5, 0, 2, NOW, NOW + 300, records, records_len, set, cap, len)
    memset(set, UNTOUCHED, sizeof set);
    CHECK_STATUS(SIGN_SET(cap - 1, &len), DONJON_BUFFER_TOO_SMALL);
    CHECK(len == cap && is_untouched(set, sizeof set));
    CHECK_STATUS(SIGN_SET(cap, &len), DONJON_OK);
    CHECK(len < cap && is_untouched(set + len, sizeof set - len));

    donjon_revocation_set *opened = NULL, *none = NULL;
    CHECK_STATUS(donjon_revocation_set_open(set, len, keyring, 5, NOW, &opened), DONJON_OK);
    uint8_t is_probable = 7;
#define FIND(subject, token, family, key, iat, now) \
    donjon_revocation_set_check(opened, TEXT(subject), TEXT(token), TEXT(family), TEXT(key), iat, now, &is_probable)
    CHECK_STATUS(FIND("", "", "", "id-0", NOW, NOW), DONJON_REVOKED);
    CHECK(is_probable == 0);
    CHECK_STATUS(FIND("id-1", "", "", "", NOW, NOW), DONJON_REVOKED);
    CHECK(is_probable == 1);
    CHECK_STATUS(FIND("id-1", "", "", "", NOW + 3, NOW), DONJON_OK);
    CHECK(is_probable == 0);
    for (int i = 2; i < 300; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        CHECK_STATUS(FIND("", i % 2 ? id : "", i % 2 ? "" : id, "", NOW, NOW), DONJON_REVOKED);
    }
    CHECK_STATUS(FIND("ann", "no", "no", "no", NOW, NOW), DONJON_OK);
    CHECK_STATUS(FIND("ann", "no", "no", "no", DONJON_NEVER, NOW), DONJON_MISSING_CLAIM);
    is_probable = 7;
    CHECK_STATUS(FIND("ann", "no", "no", "no", NOW, NOW + 300), DONJON_REVOCATION_SET_STALE);
    CHECK(is_probable == 7);
#define INFO(out, cap, len) donjon_revocation_set_info(opened, out, cap, len)
    CHECK_BUFFER(INFO, 0);

    CHECK_STATUS(donjon_revocation_set_open(set, len, keyring, 6, NOW, &none), DONJON_STATE_STALE);
    CHECK_STATUS(donjon_revocation_set_open(set, len, keyring, 0, NOW + 300, &none), DONJON_REVOCATION_SET_STALE);
    CHECK_STATUS(donjon_revocation_set_open(set, len, keyring, 0, NOW - 301, &none), DONJON_REVOCATION_SET_STALE);
    CHECK_STATUS(donjon_revocation_set_open(set, len, other, 0, NOW, &none), DONJON_UNKNOWN_KEY);
    CHECK_STATUS(donjon_revocation_set_open(NULL, 0, keyring, 0, NOW, &none), DONJON_MALFORMED);
    for (size_t at = 0; at < len; at++) {
        set[at] ^= 1;
        int32_t status = donjon_revocation_set_open(set, len, keyring, 0, NOW, &none);
        CHECK(status == DONJON_BAD_SIGNATURE || status == DONJON_MALFORMED || status == DONJON_UNKNOWN_KEY);
        set[at] ^= 1;
        uint8_t *torn = malloc(at + 1);
        memcpy(torn, set, at);
        CHECK_STATUS(donjon_revocation_set_open(torn, at, keyring, 0, NOW, &none), DONJON_MALFORMED);
        free(torn);
    }
    CHECK(none == NULL);
    /* A record that is none is not left out unseen. */
    CHECK_STATUS(donjon_revocation_set_sign(keyring, 5, 0, 2, NOW, NOW + 300, records, records_len - 1, set, sizeof set, &len), DONJON_MALFORMED);
    donjon_revocation_set_free(opened);
    donjon_revocations_free(revocations);
    donjon_keyring_free(other);
    donjon_keyring_free(keyring);
}

static void configurations_of_sessions_are_read_strictly(void) {
    donjon_keyring *keyring = new_session_keyring(), *bare = new_keyring();
    static const struct {
        const char *config, *path;
    } BAD[] = {
        {"[]", ""}, {"{\"idle_timeout_s\":0}", "idle_timeout_s"}, {"{\"idle_timeout_s\":1e9}", "idle_timeout_s"}, {"{\"max_per_user\":65}", "max_per_user"},
        {"{\"max_per_user\":\"5\"}", "max_per_user"}, {"{\"at_limit\":\"evict\"}", "at_limit"}, {"{\"nothing\":1}", "nothing"}, {"{\"sealed\":1}", "sealed"},
        {"{\"touch_interval_s\":14401}", "touch_interval_s"}, {"{\"refresh_grace_ms\":300001}", "refresh_grace_ms"}, {"{\"csrf_token\":\"no\"}", "csrf_token"},
        {"{\"cookie\":{\"name\":\"session\"}}", "cookie.name"}, {"{\"cookie\":{\"name\":\"__Host-a\\r\\nb\"}}", "cookie.name"}, {"{\"cookie\":{\"path\":\"/app\"}}", "cookie.path"},
        {"{\"cookie\":{\"domain\":\"a.example\"}}", "cookie.domain"}, {"{\"cookie\":{\"same_site\":\"Lax\"}}", "cookie.same_site"},
        {"{\"cookie\":{\"name\":\"s\",\"insecure\":true,\"same_site\":\"none\"}}", "cookie.same_site"}, {"{\"trusted_origins\":[\"null\"]}", "trusted_origins[0]"},
        {"{\"trusted_origins\":[\"https://a.example\",\"https://*.example\"]}", "trusted_origins[1]"},
    };
    uint8_t said[1024];
    size_t len = 0;
    donjon_sessions *none = NULL;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char begins[128];
        snprintf(begins, sizeof begins, "{\"error\":\"config_error\",\"path\":\"%s\",\"message\":\"", BAD[i].path);
        CHECK_STATUS(donjon_sessions_new(keyring, TEXT(BAD[i].config), &none), DONJON_CONFIG_ERROR);
        CHECK_STATUS(donjon_sessions_diagnose(keyring, TEXT(BAD[i].config), said, sizeof said, &len), DONJON_OK);
        CHECK(len > strlen(begins) && memcmp(said, begins, strlen(begins)) == 0);
    }
    CHECK_STATUS(donjon_sessions_new(bare, NULL, 0, &none), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_sessions_diagnose(bare, NULL, 0, said, sizeof said, &len), DONJON_OK);
    CHECK(has(said, len, "device"));
    CHECK(none == NULL);
    donjon_revocations *no_rules = NULL;
    static const char *const RULES[] = {"[]", "{\"skew_s\":301}", "{\"skew_s\":-1}", "{\"longest_ttl_s\":0}", "{\"nothing\":1}"};
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        CHECK_STATUS(donjon_revocations_new(keyring, TEXT(RULES[i]), &no_rules), DONJON_CONFIG_ERROR);
    }
    CHECK_STATUS(donjon_revocations_new(bare, NULL, 0, &no_rules), DONJON_CONFIG_ERROR);
    CHECK(no_rules == NULL);
#define GOOD_SESSIONS(out, cap, len) donjon_sessions_diagnose(keyring, TEXT("{}"), out, cap, len)
#define GOOD_RULES(out, cap, len) donjon_revocations_diagnose(keyring, TEXT("{}"), out, cap, len)
#define BAD_RULES(out, cap, len) donjon_revocations_diagnose(keyring, TEXT("{\"skew_s\":301}"), out, cap, len)
    SAYS(GOOD_SESSIONS, "null");
    SAYS(GOOD_RULES, "null");
    CHECK_BUFFER(GOOD_SESSIONS, 4);
    CHECK_BUFFER(BAD_RULES, 0);
    donjon_keyring_free(bare);
    donjon_keyring_free(keyring);
}

static void hostile_callers_of_sessions_are_refused(void) {
    donjon_keyring *keyring = new_session_keyring();
    donjon_sessions *s = new_sessions("{}"), *made_sessions = NULL;
    donjon_revocations *r = new_revocations(keyring, ""), *made_rules = NULL;
    donjon_revocation_set *set = NULL, *made_set = NULL;
    static uint8_t signed_set[4096], next[65536], out[16384];
    uint8_t id[DONJON_SESSION_ID_LEN], state[DONJON_REFRESH_STATE_LEN], marker[DONJON_MARKER_LEN], is_probable = UNTOUCHED;
    size_t set_len = 0, next_len = 0, len = 0;
    int64_t number = 7;
    donjon_session_verdict verdict;
    donjon_marker_verdict marked;
    CHECK_STATUS(donjon_revocation_set_sign(keyring, 1, 0, 2, NOW, NOW + 300, NULL, 0, signed_set, sizeof signed_set, &set_len), DONJON_OK);
    CHECK_STATUS(donjon_revocation_set_open(signed_set, set_len, keyring, 0, NOW, &set), DONJON_OK);
    memset(&verdict, UNTOUCHED, sizeof verdict);
    memset(&marked, UNTOUCHED, sizeof marked);
    memset(next, UNTOUCHED, sizeof next);
    memset(out, UNTOUCHED, sizeof out);
    memset(id, UNTOUCHED, sizeof id);
    memset(state, UNTOUCHED, sizeof state);
    memset(marker, UNTOUCHED, sizeof marker);
#define NEXT next, sizeof next, &next_len
#define SAID out, sizeof out, &len
#define DECIDED &verdict, NEXT, SAID
#define NO NULL, 0
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *b = BAD[i].bytes;
        size_t n = BAD[i].len;
        REFUSED(donjon_sessions_new(keyring, b, n, &made_sessions));
        REFUSED(donjon_sessions_diagnose(keyring, b, n, SAID));
        REFUSED(donjon_sessions_keys(s, b, n, SAID));
        REFUSED(donjon_sessions_key(s, b, n, SAID));
        REFUSED(donjon_sessions_create(s, b, n, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_create(s, NO, b, n, NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_create(s, NO, TEXT("a"), b, n, NO, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, b, n, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, b, n, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, b, n, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_check(s, b, n, NO, NO, NO, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_check(s, NO, b, n, NO, NO, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_check(s, NO, NO, b, n, NO, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_check(s, NO, NO, NO, b, n, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_rotate(s, b, n, NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_rotate(s, NO, b, n, NO, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_rotate(s, NO, NO, b, n, NO, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_rotate(s, NO, NO, NO, b, n, NO, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_rotate(s, NO, NO, NO, NO, b, n, NOW_MS, 0, id, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, b, n, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, NO, b, n, NO, NO, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, NO, TEXT("a"), b, n, NO, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, NO, TEXT("a"), NO, b, n, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, NO, TEXT("a"), NO, NO, b, n, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, NO, TEXT("a"), NO, NO, NO, b, n, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_refresh(s, b, n, TEXT("a"), NO, 0, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_refresh(s, NO, b, n, NO, 0, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), b, n, 0, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), NO, 0, NOW, b, n, NO, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), NO, 0, NOW, NO, b, n, NOW_MS, 0, state, DECIDED));
        REFUSED(donjon_sessions_list(s, b, n, NO, NO, NOW_MS, 0, SAID));
        REFUSED(donjon_sessions_list(s, NO, b, n, NO, NOW_MS, 0, SAID));
        REFUSED(donjon_sessions_list(s, NO, NO, b, n, NOW_MS, 0, SAID));
        REFUSED(donjon_sessions_revoke(s, b, n, NO, DONJON_SESSIONS_ALL, NO, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_revoke(s, NO, b, n, DONJON_SESSIONS_ALL, NO, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_revoke(s, NO, NO, DONJON_SESSIONS_ALL, b, n, NOW_MS, 0, DECIDED));
        REFUSED(donjon_sessions_cookie(s, b, n, SAID));
        REFUSED(donjon_sessions_csrf_cookie(s, b, n, SAID));
        REFUSED(donjon_sessions_read_cookie(s, b, n, SAID));
        REFUSED(donjon_sessions_csrf_token(s, b, n, SAID));
        REFUSED(donjon_sessions_check_request(s, b, n, NO, NO, NO, NO, NO));
        REFUSED(donjon_sessions_check_request(s, NO, b, n, NO, NO, NO, NO));
        REFUSED(donjon_sessions_check_request(s, NO, NO, b, n, NO, NO, NO));
        REFUSED(donjon_sessions_check_request(s, NO, NO, NO, b, n, NO, NO));
        REFUSED(donjon_sessions_check_request(s, NO, NO, NO, NO, b, n, NO));
        REFUSED(donjon_sessions_check_request(s, NO, NO, NO, NO, NO, b, n));
        REFUSED(donjon_revocations_new(keyring, b, n, &made_rules));
        REFUSED(donjon_revocations_diagnose(keyring, b, n, SAID));
        REFUSED(donjon_revocations_keys(r, b, n, NO, NO, NO, SAID));
        REFUSED(donjon_revocations_keys(r, NO, b, n, NO, NO, SAID));
        REFUSED(donjon_revocations_keys(r, NO, NO, b, n, NO, SAID));
        REFUSED(donjon_revocations_keys(r, NO, NO, NO, b, n, SAID));
        REFUSED(donjon_revocations_check(r, b, n, NO, NO, NO, NOW, NO, 0));
        REFUSED(donjon_revocations_check(r, NO, b, n, NO, NO, NOW, NO, 0));
        REFUSED(donjon_revocations_check(r, NO, NO, b, n, NO, NOW, NO, 0));
        REFUSED(donjon_revocations_check(r, NO, NO, NO, b, n, NOW, NO, 0));
        REFUSED(donjon_revocations_check(r, NO, NO, NO, NO, NOW, b, n, 0));
        REFUSED(donjon_revocations_issue_since(r, b, n, NO, 0, &number));
        REFUSED(donjon_revocations_issue_since(r, NO, b, n, 0, &number));
        REFUSED(donjon_revocations_key(r, DONJON_REVOKED_TOKEN, b, n, TEXT("x"), SAID));
        REFUSED(donjon_revocations_key(r, DONJON_REVOKED_TOKEN, NO, b, n, SAID));
        REFUSED(donjon_revocations_revoke(r, DONJON_REVOKED_TOKEN, b, n, TEXT("x"), NO, 0, NOW_MS, 0, &number, SAID));
        REFUSED(donjon_revocations_revoke(r, DONJON_REVOKED_TOKEN, NO, b, n, NO, 0, NOW_MS, 0, &number, SAID));
        REFUSED(donjon_revocations_revoke(r, DONJON_REVOKED_TOKEN, NO, TEXT("x"), b, n, 0, NOW_MS, 0, &number, SAID));
        REFUSED(donjon_store_marker(b, n, NO, 1000, NOW_MS, marker, &marked));
        REFUSED(donjon_store_marker(NO, b, n, 1000, NOW_MS, marker, &marked));
        REFUSED(donjon_revocation_set_sign(keyring, 1, 0, 2, NOW, NOW + 1, b, n, SAID));
        REFUSED(donjon_revocation_set_open(b, n, keyring, 0, NOW, &made_set));
        REFUSED(donjon_revocation_set_check(set, b, n, NO, NO, NO, NOW, NOW, &is_probable));
        REFUSED(donjon_revocation_set_check(set, NO, b, n, NO, NO, NOW, NOW, &is_probable));
        REFUSED(donjon_revocation_set_check(set, NO, NO, b, n, NO, NOW, NOW, &is_probable));
        REFUSED(donjon_revocation_set_check(set, NO, NO, NO, b, n, NOW, NOW, &is_probable));
    }
    /* No handle, and nowhere to write to. */
    REFUSED(donjon_sessions_new(NULL, NO, &made_sessions));
    REFUSED(donjon_sessions_new(keyring, NO, NULL));
    REFUSED(donjon_sessions_diagnose(NULL, NO, SAID));
    REFUSED(donjon_sessions_keys(NULL, TEXT("a"), SAID));
    REFUSED(donjon_sessions_key(NULL, TEXT("a"), SAID));
    REFUSED(donjon_sessions_create(NULL, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, NULL, DECIDED));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, NULL, NEXT, SAID));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, &verdict, NULL, sizeof next, &next_len, SAID));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, &verdict, next, BIG, &next_len, SAID));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, &verdict, next, sizeof next, NULL, SAID));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, &verdict, NEXT, NULL, sizeof out, &len));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, &verdict, NEXT, out, BIG, &len));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, &verdict, NEXT, out, sizeof out, NULL));
    REFUSED(donjon_sessions_create(s, TEXT("x"), NO, NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), TEXT("localhost"), NO, NO, NO, NOW_MS, 0, id, DECIDED));
    REFUSED(donjon_sessions_create(s, NO, (const uint8_t *)"\xff", 1, NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, (const uint8_t *)"\xff", 1, NO, NOW_MS, 0, id, DECIDED));
    REFUSED(donjon_sessions_check(NULL, NO, NO, NO, NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_sessions_check(s, NO, NO, TEXT("1.2.3"), NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_sessions_rotate(NULL, NO, NO, NO, NO, NO, NOW_MS, 0, id, DECIDED));
    REFUSED(donjon_sessions_rotate(s, NO, NO, NO, NO, NO, NOW_MS, 0, NULL, DECIDED));
    REFUSED(donjon_sessions_begin_family(NULL, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, state, DECIDED));
    REFUSED(donjon_sessions_begin_family(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, NULL, DECIDED));
    REFUSED(donjon_sessions_begin_family(s, NO, NO, NO, NO, NO, NO, NOW_MS, 0, state, DECIDED));
    REFUSED(donjon_sessions_refresh(NULL, NO, TEXT("a"), NO, 0, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
    REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), NO, 0, NOW, NO, NO, NOW_MS, 0, NULL, DECIDED));
    REFUSED(donjon_sessions_refresh(s, NO, NO, NO, 0, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
    REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), NO, -1, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
    REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), NO, INT64_C(1) << 32, NOW, NO, NO, NOW_MS, 0, state, DECIDED));
    REFUSED(donjon_sessions_list(NULL, NO, NO, NO, NOW_MS, 0, SAID));
    REFUSED(donjon_sessions_revoke(NULL, NO, TEXT("a"), DONJON_SESSIONS_ALL, NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_sessions_revoke(s, NO, TEXT("a"), 0, NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_sessions_revoke(s, NO, TEXT("a"), 4, NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_sessions_revoke(s, NO, TEXT("a"), UINT32_MAX, NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_sessions_keys(s, NO, SAID));
    REFUSED(donjon_sessions_cookie(NULL, NO, SAID));
    REFUSED(donjon_sessions_csrf_cookie(NULL, NO, SAID));
    REFUSED(donjon_sessions_read_cookie(NULL, NO, SAID));
    REFUSED(donjon_sessions_csrf_token(NULL, NO, SAID));
    REFUSED(donjon_sessions_check_request(NULL, NO, NO, NO, NO, NO, NO));
    static const int64_t TIMES[] = {-1, INT64_MIN};
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        int64_t t = TIMES[i];
        REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, t, 0, id, DECIDED));
        REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, t, id, DECIDED));
        REFUSED(donjon_sessions_check(s, NO, NO, NO, NO, t, 0, DECIDED));
        REFUSED(donjon_sessions_check(s, NO, NO, NO, NO, NOW_MS, t, DECIDED));
        REFUSED(donjon_sessions_rotate(s, NO, NO, NO, NO, NO, t, 0, id, DECIDED));
        REFUSED(donjon_sessions_begin_family(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, t, state, DECIDED));
        REFUSED(donjon_sessions_refresh(s, NO, TEXT("a"), NO, 0, NOW, NO, NO, t, 0, state, DECIDED));
        REFUSED(donjon_sessions_list(s, NO, TEXT("a"), NO, t, 0, SAID));
        REFUSED(donjon_sessions_revoke(s, NO, TEXT("a"), DONJON_SESSIONS_ALL, NO, NOW_MS, t, DECIDED));
        REFUSED(donjon_revocations_check(r, NO, NO, NO, NO, NOW, NO, t));
        REFUSED(donjon_revocations_issue_since(r, NO, NO, t, &number));
        REFUSED(donjon_revocations_revoke(r, DONJON_REVOKED_SUBJECT, TEXT("a"), NO, NO, 0, NOW_MS, t, &number, SAID));
        REFUSED(donjon_store_marker(NO, NO, 1000, t, marker, &marked));
        REFUSED(donjon_store_marker(NO, NO, t, NOW_MS, marker, &marked));
        REFUSED(donjon_revocation_set_sign(keyring, 1, t, 2, NOW, NOW + 1, NO, SAID));
        REFUSED(donjon_revocation_set_sign(keyring, 1, 0, t, NOW, NOW + 1, NO, SAID));
        REFUSED(donjon_revocation_set_sign(keyring, 1, 0, 2, t, NOW + 1, NO, SAID));
        REFUSED(donjon_revocation_set_sign(keyring, 1, 0, 2, NOW, t, NO, SAID));
    }
    REFUSED(donjon_revocation_set_sign(keyring, 1, 0, 2, NOW, NOW + 86401, NO, SAID));
    REFUSED(donjon_revocation_set_sign(keyring, 1, 0, 301, NOW, NOW + 1, NO, SAID));
    REFUSED(donjon_store_marker(NO, NO, 0, NOW_MS, marker, &marked));
    REFUSED(donjon_store_marker(NO, NO, 1000, NOW_MS, NULL, &marked));
    REFUSED(donjon_store_marker(NO, NO, 1000, NOW_MS, marker, NULL));
    REFUSED(donjon_revocations_new(NULL, NO, &made_rules));
    REFUSED(donjon_revocations_new(keyring, NO, NULL));
    REFUSED(donjon_revocations_keys(NULL, NO, NO, NO, NO, SAID));
    REFUSED(donjon_revocations_check(NULL, NO, NO, NO, NO, NOW, NO, 0));
    REFUSED(donjon_revocations_issue_since(NULL, NO, NO, 0, &number));
    REFUSED(donjon_revocations_issue_since(r, NO, NO, 0, NULL));
    REFUSED(donjon_revocations_key(NULL, DONJON_REVOKED_TOKEN, NO, TEXT("x"), SAID));
    REFUSED(donjon_revocations_key(r, DONJON_REVOKED_TOKEN, NO, NO, SAID));
    REFUSED(donjon_revocations_revoke(NULL, DONJON_REVOKED_TOKEN, NO, TEXT("x"), NO, 0, NOW_MS, 0, &number, SAID));
    REFUSED(donjon_revocations_revoke(r, DONJON_REVOKED_TOKEN, NO, TEXT("x"), NO, 0, NOW_MS, 0, NULL, SAID));
    REFUSED(donjon_revocation_set_sign(NULL, 1, 0, 2, NOW, NOW + 1, NO, SAID));
    REFUSED(donjon_revocation_set_open(signed_set, set_len, NULL, 0, NOW, &made_set));
    REFUSED(donjon_revocation_set_open(signed_set, set_len, keyring, 0, NOW, NULL));
    REFUSED(donjon_revocation_set_check(NULL, NO, NO, NO, NO, NOW, NOW, &is_probable));
    REFUSED(donjon_revocation_set_check(set, NO, NO, NO, NO, NOW, NOW, NULL));
    REFUSED(donjon_revocation_set_info(NULL, SAID));
    /* Structs where none can be. */
    static struct {
        int64_t aligned;
        uint8_t room[256];
    } room;
    REFUSED(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, NOW_MS, 0, id, (donjon_session_verdict *)(void *)(room.room + 1), NEXT, SAID));
    REFUSED(donjon_sessions_new(keyring, NO, (donjon_sessions **)(void *)(room.room + 1)));
    REFUSED(donjon_sessions_check((const donjon_sessions *)(void *)(room.room + 1), NO, NO, NO, NO, NOW_MS, 0, DECIDED));
    REFUSED(donjon_revocations_issue_since(r, NO, NO, 0, (int64_t *)(void *)(room.room + 4)));
    REFUSED(donjon_store_marker(NO, NO, 1000, NOW_MS, marker, (donjon_marker_verdict *)(void *)(room.room + 1)));

    CHECK(is_untouched((uint8_t *)&verdict, sizeof verdict) && is_untouched((uint8_t *)&marked, sizeof marked) && is_untouched(next, sizeof next) && is_untouched(out, sizeof out));
    CHECK(is_untouched(id, sizeof id) && is_untouched(state, sizeof state) && is_untouched(marker, sizeof marker) && is_probable == UNTOUCHED && number == 7);
    CHECK(made_sessions == NULL && made_rules == NULL && made_set == NULL);
    /* The largest numbers that there are are numbers. */
    CHECK_STATUS(donjon_sessions_create(s, NO, TEXT("a"), NO, NO, NO, NO, INT64_MAX, INT64_MAX, id, DECIDED), DONJON_OK);
    CHECK_STATUS(donjon_store_marker(NO, NO, 1000, INT64_MAX, marker, &marked), DONJON_OK);
    CHECK_STATUS(donjon_revocations_revoke(r, DONJON_REVOKED_TOKEN, NO, TEXT("x"), NO, INT64_MAX, INT64_MAX, 0, &number, SAID), DONJON_OK);
    donjon_revocation_set_free(set);
    donjon_revocations_free(r);
    donjon_sessions_free(s);
    donjon_keyring_free(keyring);
}

static donjon_sessions *shared_sessions;

static void *sign_in(void *failures) {
    user *u = malloc(sizeof *u);
    *u = (user){.sessions = shared_sessions};
    for (int i = 0; i < 50; i++) {
        *(int *)failures += begin_session(u, NOW_MS + i) != DONJON_OK || check_in(u, u->id, NOW_MS + i) != DONJON_OK;
        uint8_t token[DONJON_CSRF_TOKEN_LEN];
        size_t len = 0;
        int32_t status = donjon_sessions_csrf_token(shared_sessions, u->id, sizeof u->id, token, sizeof token, &len);
        *(int *)failures += status != DONJON_OK;
        status = donjon_sessions_check_request(shared_sessions, u->id, sizeof u->id, TEXT("POST"), NULL, 0, NULL, 0, NULL, 0, token, len);
        *(int *)failures += status != DONJON_OK;
    }
    free(u);
    return NULL;
}

static void threads_share_sessions(void) {
    shared_sessions = new_sessions("{\"sealed\":true}");
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, sign_in, &failures[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    donjon_sessions_free(shared_sessions);
}

static void run_sessions(void) {
    RUN(sessions_have_their_pinned_layout);
    RUN(a_session_lives_until_it_is_idle_rotated_or_revoked);
    RUN(the_oldest_sign_in_goes);
    RUN(a_family_in_a_record_rotates_and_reuse_ends_it);
    RUN(requests_show_where_they_come_from);
    RUN(small_buffers_of_sessions_decide_nothing);
    RUN(a_damaged_record_is_nobodys);
    RUN(what_is_revoked_is_refused);
    RUN(a_store_s_marker_tells_what_the_store_forgot);
    RUN(an_offline_set_is_whole_or_nothing);
    RUN(configurations_of_sessions_are_read_strictly);
    RUN(hostile_callers_of_sessions_are_refused);
    RUN(threads_share_sessions);
}
