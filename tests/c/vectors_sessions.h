/* The operations of sessions and revocation, for vectors.c. */

/* Some texts behind their lengths, as many functions want them; freed with the call. */
static slice parts(call *call, const char *name) {
    json_t *list = json_object_get(call->request, name), *one;
    size_t index, len = 0, cap = 1;
    call->bad |= !json_is_array(list);
    json_array_foreach(list, index, one) {
        call->bad |= !json_is_string(one);
        cap += 4 + json_string_length(one) / 2;
    }
    uint8_t *room = malloc(cap);
    if (room == NULL || call->raws == sizeof call->raw / sizeof *call->raw) {
        abort();
    }
    call->raw[call->raws++] = (char *)room;
    if (call->bad) {
        return NOTHING;
    }
    json_array_foreach(list, index, one) {
        slice digits = {(const uint8_t *)json_string_value(one), json_string_length(one)};
        size_t part = digits.len / 2;
        for (int i = 0; i < 4; i++) {
            room[len++] = (uint8_t)(part >> (24 - 8 * i));
        }
        decode(call, digits, room + len);
        len += part;
    }
    return (slice){room, len};
}

static slice optional_bytes(call *call, const char *name) {
    return unhex(call, optional_text(call, name));
}

static donjon_sessions *sessions_of(call *call, int32_t *status) {
    donjon_sessions *sessions = NULL;
    donjon_keyring *keyring = keyring_of(call, "keyring", status);
    slice config = member(call, "config");
    if (keyring != NULL && !call->bad) {
        *status = donjon_sessions_new(keyring, config.bytes, config.len, &sessions);
        CHECK((sessions != NULL) == (*status == DONJON_OK));
    }
    donjon_keyring_free(keyring);
    return sessions;
}

static int32_t session_diagnose(call *call, uint8_t *out) {
    int32_t status;
    size_t len = 0;
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    slice config = text(call, "config");
    if (keyring != NULL && !call->bad) {
        status = donjon_sessions_diagnose(keyring, config.bytes, config.len, out, MAX_OUT, &len);
    }
    donjon_keyring_free(keyring);
    if (status == DONJON_OK && !call->bad) {
        json_t *diagnosis = json_loadb((char *)out, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *error = json_object_get(diagnosis, "error");
        put(call, "status", error == NULL ? json_string("ok") : json_incref(error));
        put(call, "path", error == NULL ? json_null() : json_incref(json_object_get(diagnosis, "path")));
        put(call, "message", error == NULL ? json_null() : json_incref(json_object_get(diagnosis, "message")));
        json_decref(diagnosis);
    }
    return status;
}

/* What a decision is made of, and where it is written. */
typedef struct {
    donjon_sessions *sessions;
    slice record, subject, id, address, user_agent, label, data, family, entropy;
    int64_t now_ms, store_since_ms, generation, issued_at_s;
    donjon_session_verdict verdict;
    uint8_t *next, *session, given[DONJON_SESSION_ID_LEN];
    size_t next_cap, next_len, session_cap, session_len;
} deciding;

typedef enum { CREATE, CHECK_ID, ROTATE, BEGIN_FAMILY, REFRESH } decision;

static int32_t decide_within(decision which, deciding *d, size_t next_cap, size_t session_cap) {
    slice r = d->record, s = d->subject, i = d->id, a = d->address, u = d->user_agent, l = d->label, e = d->data, f = d->family;
    draws(d->entropy);
    int32_t status =
        which == CHECK_ID ? donjon_sessions_check(d->sessions, r.bytes, r.len, i.bytes, i.len, a.bytes, a.len, u.bytes, u.len, d->now_ms, d->store_since_ms,
                                                  &d->verdict, d->next, next_cap, &d->next_len, d->session, session_cap, &d->session_len)
        : which == ROTATE
            ? donjon_sessions_rotate(d->sessions, r.bytes, r.len, i.bytes, i.len, a.bytes, a.len, u.bytes, u.len, e.len == 0 ? NULL : e.bytes, e.len, d->now_ms,
                                     d->store_since_ms, d->given, &d->verdict, d->next, next_cap, &d->next_len, d->session, session_cap, &d->session_len)
        : which == REFRESH
            ? donjon_sessions_refresh(d->sessions, r.bytes, r.len, s.bytes, s.len, f.bytes, f.len, d->generation, d->issued_at_s, a.bytes, a.len, u.bytes, u.len,
                                      d->now_ms, d->store_since_ms, d->given, &d->verdict, d->next, next_cap, &d->next_len, d->session, session_cap, &d->session_len)
            : (which == CREATE ? donjon_sessions_create : donjon_sessions_begin_family)(
                  d->sessions, r.bytes, r.len, s.bytes, s.len, a.bytes, a.len, u.bytes, u.len, l.bytes, l.len, e.bytes, e.len, d->now_ms, d->store_since_ms,
                  d->given, &d->verdict, d->next, next_cap, &d->next_len, d->session, session_cap, &d->session_len);
    draws_from_the_system();
    return status;
}

static void put_session_verdict(call *call, const donjon_session_verdict *verdict, const uint8_t *next, size_t next_len) {
    CHECK(verdict->reserved == 0 && (verdict->write != DONJON_SESSION_WRITE_NOTHING || (next_len == 0 && verdict->keep_ms == 0)));
    put(call, "status", json_string(donjon_status_str(verdict->status)));
    put(call, "reason", json_integer(verdict->reason));
    put(call, "write", json_integer(verdict->write));
    put(call, "changes", json_integer(verdict->changes));
    put(call, "keep_ms", json_integer(verdict->keep_ms));
    put(call, "record_hex", to_hex(next, next_len));
}

/* Decides, first with a byte too few for either output and then with just enough. */
static int32_t session_decide(call *call, decision which) {
    int is_new = which == CREATE || which == BEGIN_FAMILY, is_family = which == REFRESH || which == BEGIN_FAMILY;
    deciding d = {
        .record = bytes(call, "record_hex"),
        .address = text(call, "address"),
        .user_agent = text(call, "user_agent"),
        .now_ms = integer(call, "now_ms"),
        .store_since_ms = integer(call, "store_since_ms"),
        .entropy = optional_bytes(call, "entropy_hex"),
    };
    if (which == CHECK_ID || which == ROTATE) {
        d.id = text(call, "session_id");
    } else {
        d.subject = text(call, "subject");
    }
    if (is_new) {
        d.label = text(call, "label");
    }
    if (is_new || which == ROTATE) {
        d.data = bytes(call, "data_hex");
    }
    if (which == REFRESH) {
        d.family = text(call, "family");
        d.generation = integer(call, "generation");
        d.issued_at_s = integer_or(call, "issued_at_s", DONJON_NEVER);
    }
    int32_t status;
    d.sessions = sessions_of(call, &status);
    if (d.sessions == NULL || call->bad) {
        donjon_sessions_free(d.sessions);
        return status;
    }
    d.next_cap = donjon_sessions_record_bound(d.sessions);
    d.session_cap = donjon_sessions_session_bound(d.sessions);
    d.next = malloc(d.next_cap);
    d.session = malloc(d.session_cap);
    memset(&d.verdict, 7, sizeof d.verdict);
    memset(d.given, 7, sizeof d.given);
    deciding before = d;
    if (decide_within(which, &d, d.next_cap - 1, d.session_cap) == DONJON_BUFFER_TOO_SMALL) {
        CHECK(d.next_len == d.next_cap && d.session_len == 0);
        CHECK(decide_within(which, &d, d.next_cap, d.session_cap - 1) == DONJON_BUFFER_TOO_SMALL && d.session_len == d.session_cap);
    }
    CHECK(memcmp(&d.verdict, &before.verdict, sizeof d.verdict) == 0 && memcmp(d.given, before.given, sizeof d.given) == 0);
    status = decide_within(which, &d, d.next_cap, d.session_cap);
    int is_given = status == DONJON_OK && d.verdict.status == DONJON_OK && which != CHECK_ID;
    size_t given_len = !is_given ? 0 : is_family ? DONJON_REFRESH_STATE_LEN : DONJON_SESSION_ID_LEN;
    CHECK(memcmp(d.given + given_len, before.given + given_len, sizeof d.given - given_len) == 0);
    if (status == DONJON_OK) {
        if (is_family) {
            put(call, "state_hex", to_hex(d.given, given_len));
        } else if (which != CHECK_ID) {
            put(call, "session_id", is_given ? json_stringn((char *)d.given, given_len) : json_null());
        }
        put_session_verdict(call, &d.verdict, d.next, d.next_len);
        if (d.session_len == 0) {
            put(call, "session", json_null());
        } else {
            put_json(call, "session", d.session, d.session_len);
        }
    } else {
        CHECK(memcmp(&d.verdict, &before.verdict, sizeof d.verdict) == 0);
    }
    free(d.next);
    free(d.session);
    donjon_sessions_free(d.sessions);
    return status;
}

static int32_t session_list(call *call, uint8_t *out) {
    slice record = bytes(call, "record_hex"), subject = text(call, "subject"), current = text(call, "current");
    int64_t now_ms = integer(call, "now_ms"), store_since_ms = integer(call, "store_since_ms");
    int32_t status;
    size_t len = 0;
    donjon_sessions *sessions = sessions_of(call, &status);
    if (sessions != NULL && !call->bad) {
        status = donjon_sessions_list(sessions, record.bytes, record.len, subject.bytes, subject.len, current.bytes, current.len, now_ms, store_since_ms, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put_json(call, "sessions", out, len);
        }
    }
    donjon_sessions_free(sessions);
    return status;
}

static int32_t session_revoke(call *call, uint8_t *out) {
    static const char *const WHICH[] = {"one", "others", "all"};
    slice record = bytes(call, "record_hex"), subject = text(call, "subject"), name = text(call, "which"), handle = text(call, "handle");
    slice entropy = optional_bytes(call, "entropy_hex");
    int64_t now_ms = integer(call, "now_ms"), store_since_ms = integer(call, "store_since_ms");
    uint32_t which = 0;
    for (uint32_t i = 0; i < 3 && !call->bad; i++) {
        which = strcmp(WHICH[i], (const char *)name.bytes) == 0 ? i + DONJON_SESSIONS_ONE : which;
    }
    call->bad |= which == 0;
    int32_t status;
    donjon_sessions *sessions = sessions_of(call, &status);
    if (sessions != NULL && !call->bad) {
        donjon_session_verdict verdict;
        size_t cap = donjon_sessions_record_bound(sessions), next_len = 0, len = 0;
        uint8_t *next = malloc(cap);
        draws(entropy);
        status = donjon_sessions_revoke(sessions, record.bytes, record.len, subject.bytes, subject.len, which, handle.bytes, handle.len, now_ms, store_since_ms,
                                        &verdict, next, cap, &next_len, out, MAX_OUT, &len);
        draws_from_the_system();
        if (status == DONJON_OK) {
            put_session_verdict(call, &verdict, next, next_len);
            put_json(call, "revoked", out, len);
        }
        free(next);
    }
    donjon_sessions_free(sessions);
    return status;
}

/* What is made of one text and the sessions alone. */
typedef int32_t of_sessions(const donjon_sessions *sessions, const uint8_t *text, size_t text_len, uint8_t *out, size_t cap, size_t *out_len);

static int32_t session_text(call *call, uint8_t *out, of_sessions make, const char *field, const char *answer) {
    slice given = text(call, field), entropy = optional_bytes(call, "entropy_hex");
    int32_t status;
    size_t len = 0;
    donjon_sessions *sessions = sessions_of(call, &status);
    if (sessions != NULL && !call->bad) {
        int draws_bytes = json_object_get(call->request, "entropy_hex") != NULL;
        if (draws_bytes) {
            draws(entropy);
        }
        status = make(sessions, given.bytes, given.len, out, MAX_OUT, &len);
        if (draws_bytes) {
            draws_from_the_system();
        }
    }
    donjon_sessions_free(sessions);
    if (status != DONJON_OK || call->bad) {
        return status;
    }
    if (make == donjon_sessions_keys) {
        put_json(call, answer, out, len);
    } else {
        put(call, answer, make == donjon_sessions_read_cookie && len == 0 ? json_null() : json_stringn((char *)out, len));
    }
    return status;
}

static int32_t session_check_request(call *call) {
    slice id = text(call, "session_id"), method = text(call, "method"), site = text(call, "sec_fetch_site");
    slice origin = text(call, "origin"), host = text(call, "host"), token = text(call, "csrf_token");
    int32_t status;
    donjon_sessions *sessions = sessions_of(call, &status);
    if (sessions != NULL && !call->bad) {
        status = donjon_sessions_check_request(sessions, id.bytes, id.len, method.bytes, method.len, site.bytes, site.len, origin.bytes, origin.len,
                                               host.bytes, host.len, token.bytes, token.len);
    }
    donjon_sessions_free(sessions);
    return status;
}

static donjon_revocations *revocations_of(call *call, int32_t *status) {
    donjon_revocations *revocations = NULL;
    donjon_keyring *keyring = keyring_of(call, "keyring", status);
    slice config = raw(call, json_object_get(call->request, "config"));
    if (keyring != NULL && !call->bad) {
        *status = donjon_revocations_new(keyring, config.bytes, config.len, &revocations);
        CHECK((revocations != NULL) == (*status == DONJON_OK));
    }
    donjon_keyring_free(keyring);
    return revocations;
}

/* What a token says of itself. */
typedef struct {
    slice subject, token_id, family, key_id;
} suspect;

static suspect suspect_of(call *call) {
    return (suspect){text(call, "subject"), text(call, "token_id"), text(call, "family"), text(call, "key_id")};
}

static int32_t revocation_keys(call *call, uint8_t *out) {
    suspect of = suspect_of(call);
    int32_t status;
    size_t len = 0;
    donjon_revocations *revocations = revocations_of(call, &status);
    if (revocations != NULL) {
        status = donjon_revocations_keys(revocations, of.subject.bytes, of.subject.len, of.token_id.bytes, of.token_id.len, of.family.bytes, of.family.len,
                                         of.key_id.bytes, of.key_id.len, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put_json(call, "keys", out, len);
        }
    }
    donjon_revocations_free(revocations);
    return status;
}

static int32_t revocation_record_check(call *call) {
    suspect of = suspect_of(call);
    slice values = parts(call, "values_hex");
    int64_t issued_at_s = integer_or(call, "issued_at_s", DONJON_NEVER), store_since_ms = integer(call, "store_since_ms");
    int32_t status;
    donjon_revocations *revocations = revocations_of(call, &status);
    if (revocations != NULL) {
        status = donjon_revocations_check(revocations, of.subject.bytes, of.subject.len, of.token_id.bytes, of.token_id.len, of.family.bytes, of.family.len,
                                          of.key_id.bytes, of.key_id.len, issued_at_s, values.bytes, values.len, store_since_ms);
    }
    donjon_revocations_free(revocations);
    return status;
}

static int32_t revocation_issue_since(call *call) {
    slice subject = text(call, "subject"), values = parts(call, "values_hex");
    int64_t store_since_ms = integer(call, "store_since_ms"), since_s = 7;
    int32_t status;
    donjon_revocations *revocations = revocations_of(call, &status);
    if (revocations != NULL) {
        status = donjon_revocations_issue_since(revocations, subject.bytes, subject.len, values.bytes, values.len, store_since_ms, &since_s);
        CHECK(status == DONJON_OK || since_s == 7);
        put(call, "since_s", since_s == DONJON_NEVER ? json_null() : json_integer(since_s));
    }
    donjon_revocations_free(revocations);
    return status;
}

static int32_t revocation_write(call *call, uint8_t *out, int is_key) {
    static const char *const KINDS[] = {"token", "family", "subject", "key"};
    slice name = text(call, "kind"), subject = text(call, "subject"), id = text(call, "name");
    slice stored = is_key ? NOTHING : bytes(call, "stored_hex");
    int64_t until_s = is_key ? 0 : integer_or(call, "until_s", DONJON_NEVER), now_ms = is_key ? 0 : integer(call, "now_ms");
    int64_t store_since_ms = is_key ? 0 : integer(call, "store_since_ms"), keep_ms = 7;
    uint32_t kind = 0;
    for (uint32_t i = 0; i < 4 && !call->bad; i++) {
        kind = strcmp(KINDS[i], (const char *)name.bytes) == 0 ? i + DONJON_REVOKED_TOKEN : kind;
    }
    call->bad |= kind == 0;
    int32_t status;
    size_t len = 0;
    donjon_revocations *revocations = revocations_of(call, &status);
    if (revocations != NULL && is_key) {
        status = donjon_revocations_key(revocations, kind, subject.bytes, subject.len, id.bytes, id.len, out, MAX_OUT, &len);
        put(call, "key", json_stringn((char *)out, status == DONJON_OK ? len : 0));
    } else if (revocations != NULL) {
        status = donjon_revocations_revoke(revocations, kind, subject.bytes, subject.len, id.bytes, id.len, stored.bytes, stored.len, until_s, now_ms, store_since_ms,
                                           &keep_ms, out, MAX_OUT, &len);
        CHECK((status == DONJON_OK) == (keep_ms != 7));
        put(call, "value_hex", to_hex(out, len));
        put(call, "keep_ms", json_integer(keep_ms));
    }
    donjon_revocations_free(revocations);
    return status;
}

static int32_t store_marker(call *call) {
    slice stored = bytes(call, "stored_hex"), seen = bytes(call, "seen_hex");
    int64_t max_silence_ms = integer(call, "max_silence_ms"), now_ms = integer(call, "now_ms");
    uint8_t marker[DONJON_MARKER_LEN];
    donjon_marker_verdict verdict;
    int32_t status = donjon_store_marker(stored.bytes, stored.len, seen.bytes, seen.len, max_silence_ms, now_ms, marker, &verdict);
    if (status == DONJON_OK) {
        put(call, "marker_hex", to_hex(marker, sizeof marker));
        put(call, "since_ms", json_integer(verdict.since_ms));
        put(call, "keep_ms", json_integer(verdict.keep_ms));
        put(call, "write", json_integer(verdict.write));
        put(call, "reason", json_integer(verdict.reason));
    }
    return status;
}

static int32_t revocation_set_sign(call *call) {
    slice records = parts(call, "records_hex"), entropy = bytes(call, "entropy_hex");
    int64_t sequence = integer(call, "sequence"), store_since_ms = integer(call, "store_since_ms"), skew_s = integer(call, "skew_s");
    int64_t issued_at_s = integer(call, "issued_at_s"), valid_until_s = integer(call, "valid_until_s");
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    if (keyring != NULL) {
        size_t cap = donjon_revocation_set_bound(records.len), len = 0;
        uint8_t *set = malloc(cap);
        CHECK(donjon_revocation_set_sign(keyring, (uint64_t)sequence, store_since_ms, skew_s, issued_at_s, valid_until_s, records.bytes, records.len, set, cap - 1,
                                         &len) == DONJON_BUFFER_TOO_SMALL && len == cap);
        draws(entropy);
        status = donjon_revocation_set_sign(keyring, (uint64_t)sequence, store_since_ms, skew_s, issued_at_s, valid_until_s, records.bytes, records.len, set, cap, &len);
        draws_from_the_system();
        if (status == DONJON_OK) {
            put(call, "set_hex", to_hex(set, len));
        }
        free(set);
    }
    donjon_keyring_free(keyring);
    return status;
}

typedef enum { OPEN, INFO, LOOK_UP } of_set;

static int32_t revocation_set(call *call, uint8_t *out, of_set what) {
    slice bytes_of_set = bytes(call, "set_hex");
    int64_t last_sequence = integer(call, "last_sequence"), now_s = integer(call, "now_s");
    int32_t status;
    size_t len = 0;
    donjon_revocation_set *set = NULL;
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    if (keyring != NULL) {
        status = donjon_revocation_set_open(bytes_of_set.bytes, bytes_of_set.len, keyring, (uint64_t)last_sequence, now_s, &set);
        CHECK((set != NULL) == (status == DONJON_OK));
    }
    donjon_keyring_free(keyring);
    if (set != NULL && what == INFO) {
        status = donjon_revocation_set_info(set, out, MAX_OUT, &len);
        put_json(call, "info", out, len);
    } else if (set != NULL && what == LOOK_UP) {
        suspect of = suspect_of(call);
        int64_t issued_at_s = integer_or(call, "issued_at_s", DONJON_NEVER), at_s = integer(call, "at_s");
        uint8_t is_probable = 0;
        int32_t found = donjon_revocation_set_check(set, of.subject.bytes, of.subject.len, of.token_id.bytes, of.token_id.len, of.family.bytes, of.family.len,
                                                    of.key_id.bytes, of.key_id.len, issued_at_s, at_s, &is_probable);
        put(call, "status", json_string(donjon_status_str(found)));
        put(call, "probable", json_boolean(is_probable));
    }
    donjon_revocation_set_free(set);
    return status;
}
