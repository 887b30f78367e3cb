/* The operations of limits, lock-out and the client's address, for vectors.c. */

static donjon_limits *limits_of(slice config, int32_t *status) {
    donjon_limits *limits = NULL;
    *status = donjon_limits_new(config.bytes, config.len, &limits);
    CHECK((limits != NULL) == (*status == DONJON_OK));
    return limits;
}

/* A configuration, whose members are taken. */
static donjon_limits *limits_of_json(call *call, json_t *config, int32_t *status) {
    slice text = raw(call, config);
    json_decref(config);
    return limits_of(text, status);
}

/* "limits" or "limit": how each of them is described, without the burst if it is not wanted. */
static json_t *description_of(const donjon_limits *limits, uint8_t *out) {
    size_t len = 0;
    CHECK_STATUS(donjon_limits_describe(limits, out, MAX_OUT, &len), DONJON_OK);
    return json_loadb((char *)out, len, 0, NULL);
}

static int32_t limit_parse(call *call, uint8_t *out) {
    slice spec = text(call, "spec");
    int32_t status;
    donjon_limits *limits = limits_of_json(call, json_pack("{s:s%}", "limits", spec.bytes, spec.len), &status);
    if (limits != NULL) {
        json_t *description = description_of(limits, out), *rows = json_object_get(description, "limits"), *row;
        size_t index;
        json_array_foreach(rows, index, row) {
            json_object_del(row, "burst");
        }
        put(call, "limits", json_incref(rows));
        json_decref(description);
    }
    donjon_limits_free(limits);
    return status;
}

static int32_t limits_describe(call *call, uint8_t *out) {
    int32_t status;
    donjon_limits *limits = limits_of(member(call, "config"), &status);
    if (limits != NULL) {
        put(call, "description", description_of(limits, out));
    }
    donjon_limits_free(limits);
    return status;
}

static int32_t limits_diagnose(call *call, uint8_t *out) {
    slice config = text(call, "config");
    size_t len = 0;
    int32_t status = donjon_limits_diagnose(config.bytes, config.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        json_t *diagnosis = json_loadb((char *)out, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *error = json_object_get(diagnosis, "error");
        put(call, "status", error == NULL ? json_string("ok") : json_incref(error));
        put(call, "path", error == NULL ? json_null() : json_incref(json_object_get(diagnosis, "path")));
        put(call, "message", error == NULL ? json_null() : json_incref(json_object_get(diagnosis, "message")));
        json_decref(diagnosis);
    }
    return status;
}

/* What is spent, and of what. */
typedef struct {
    slice state;
    int64_t now_ms;
    uint32_t cost;
} spending;

static spending spending_of(call *call) {
    int64_t cost = integer(call, "cost");
    call->bad |= cost < 0 || cost > UINT32_MAX || json_object_get(call->request, "state_hex") == NULL;
    return (spending){unhex(call, optional_text(call, "state_hex")), integer(call, "now_ms"), (uint32_t)cost};
}

/* Spends, first with no room and then with as little as there has to be. */
static int32_t spend(const donjon_limits *limits, const spending *of, donjon_limit_verdict *verdict, uint8_t *out, size_t *len) {
    donjon_limit_verdict before;
    memset(&before, 7, sizeof before);
    *verdict = before;
    int32_t status = donjon_limits_spend(limits, of->state.bytes, of->state.len, of->now_ms, of->cost, verdict, NULL, 0, len);
    if (status == DONJON_BUFFER_TOO_SMALL) {
        CHECK(memcmp(&before, verdict, sizeof before) == 0);
        CHECK(*len > 0 && (*len <= DONJON_LIMIT_STATE_MAX || *len == of->state.len));
        size_t cap = *len;
        status = donjon_limits_spend(limits, of->state.bytes, of->state.len, of->now_ms, of->cost, verdict, out, cap, len);
        CHECK(status == DONJON_OK && *len == cap);
    }
    if (status != DONJON_OK) {
        CHECK(memcmp(&before, verdict, sizeof before) == 0);
        return status;
    }
    CHECK(verdict->allowed <= 1 && verdict->never_allowed <= 1 && verdict->table_full == 0 && verdict->index < DONJON_LIMITS_MAX);
    CHECK((verdict->retry_after_ms == 0) == (verdict->allowed == 1) && (verdict->retry_after_ms == -1) == (verdict->never_allowed == 1));
    return status;
}

static void put_verdict(call *call, const donjon_limit_verdict *verdict) {
    put(call, "allowed", json_boolean(verdict->allowed));
    put(call, "never_allowed", json_boolean(verdict->never_allowed));
    put(call, "limit", json_integer(verdict->limit));
    put(call, "remaining", json_integer(verdict->remaining));
    put(call, "index", json_integer(verdict->index));
    put(call, "reset_after_ms", json_integer(verdict->reset_after_ms));
    put(call, "retry_after_ms", verdict->never_allowed ? json_null() : json_integer(verdict->retry_after_ms));
    put(call, "keep_ms", json_integer(verdict->keep_ms));
}

static int32_t limits_spend_of(call *call, donjon_limits *limits, int32_t status, uint8_t *out) {
    spending of = spending_of(call);
    if (limits != NULL && !call->bad) {
        donjon_limit_verdict verdict;
        size_t len = 0;
        status = spend(limits, &of, &verdict, out, &len);
        if (status == DONJON_OK) {
            put_verdict(call, &verdict);
            put(call, "state_hex", to_hex(out, len));
        }
    }
    donjon_limits_free(limits);
    return status;
}

static int32_t limit_apply(call *call, uint8_t *out) {
    char spec[64];
    slice algorithm = text(call, "algorithm");
    json_t *burst = json_object_get(call->request, "burst");
    snprintf(spec, sizeof spec, "%" PRId64 " per %" PRId64 " second", integer(call, "amount"), integer(call, "period_s"));
    json_t *config = json_pack("{s:s,s:s%}", "limits", spec, "algorithm", algorithm.bytes, algorithm.len);
    if (burst != NULL && !json_is_null(burst)) {
        json_object_set_new(config, "burst", json_integer(integer(call, "burst")));
    }
    int32_t status;
    donjon_limits *limits = limits_of_json(call, config, &status);
    return limits_spend_of(call, limits, status, out);
}

static int32_t limits_spend(call *call, uint8_t *out) {
    int32_t status;
    donjon_limits *limits = limits_of(member(call, "config"), &status);
    return limits_spend_of(call, limits, status, out);
}

static int32_t limits_give_back(call *call, uint8_t *out) {
    spending of = spending_of(call);
    int64_t spent_at_ms = integer(call, "spent_at_ms");
    int32_t status;
    size_t len = 0;
    donjon_limits *limits = limits_of(member(call, "config"), &status);
    if (limits != NULL) {
        status = donjon_limits_give_back(limits, of.state.bytes, of.state.len, spent_at_ms, of.now_ms, of.cost, out, MAX_OUT, &len);
    }
    if (status == DONJON_OK) {
        put(call, "state_hex", to_hex(out, len));
    }
    donjon_limits_free(limits);
    return status;
}

/* The fields of an answer, or the body of a refusal. */
static int32_t limits_tell(call *call, uint8_t *out, int is_refusal) {
    spending of = spending_of(call);
    slice code = optional_text(call, "code");
    uint32_t fields = is_refusal ? 0 : boolean(call, "ietf") ? DONJON_LIMIT_HEADERS_X | DONJON_LIMIT_HEADERS_IETF : DONJON_LIMIT_HEADERS_X;
    int32_t status;
    size_t len = 0;
    donjon_limit_verdict verdict;
    donjon_limits *limits = limits_of(member(call, "config"), &status);
    if (limits != NULL && !call->bad) {
        status = spend(limits, &of, &verdict, out, &len);
        if (status == DONJON_OK) {
            status = is_refusal ? donjon_limits_refusal(&verdict, of.now_ms, code.bytes, code.len, out, MAX_OUT, &len)
                                : donjon_limits_headers(limits, &verdict, of.now_ms, fields, out, MAX_OUT, &len);
        }
        if (status == DONJON_OK) {
            put_json(call, is_refusal ? "body" : "headers", out, len);
        }
    }
    donjon_limits_free(limits);
    return status;
}

static int32_t limit_profiles(call *call, uint8_t *out) {
    size_t len = 0;
    int32_t status = donjon_limit_profiles(out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put_json(call, "profiles", out, len);
    }
    return status;
}

static donjon_lockout *lockout_of(call *call, int32_t *status) {
    donjon_lockout *lockout = NULL;
    donjon_keyring *keyring = keyring_of(call, "keyring", status);
    if (keyring != NULL) {
        *status = donjon_lockout_new(keyring, &lockout);
    }
    donjon_keyring_free(keyring);
    return lockout;
}

static int32_t lockout_counters(call *call, uint8_t *out) {
    slice account = text(call, "account"), address = text(call, "address"), subject = text(call, "subject");
    slice state = text(call, "state"), device = text(call, "device");
    int64_t now_s = integer(call, "now_s");
    int32_t status;
    size_t len = 0;
    donjon_lockout *lockout = lockout_of(call, &status);
    if (lockout != NULL) {
        status = donjon_lockout_counters(lockout, account.bytes, account.len, address.bytes, address.len, subject.bytes, subject.len, state.bytes, state.len,
                                         device.bytes, device.len, now_s, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put_json(call, "counters", out, len);
        }
    }
    donjon_lockout_free(lockout);
    return status;
}

static int32_t lockout_device_token(call *call, uint8_t *out) {
    slice subject = text(call, "subject"), state = text(call, "state"), entropy = bytes(call, "entropy_hex");
    int64_t ttl_s = integer(call, "ttl_s"), now_s = integer(call, "now_s");
    int32_t status;
    size_t len = 0;
    donjon_lockout *lockout = lockout_of(call, &status);
    if (lockout != NULL) {
        size_t bound = donjon_purpose_tokens_bound(6, subject.len);
        CHECK(bound <= MAX_OUT);
        draws(entropy);
        status = donjon_lockout_device_token(lockout, subject.bytes, subject.len, state.bytes, state.len, ttl_s, now_s, out, bound, &len);
        draws_from_the_system();
        if (status == DONJON_OK) {
            put(call, "token", json_stringn((char *)out, len));
        }
    }
    donjon_lockout_free(lockout);
    return status;
}

static int32_t client_ip(call *call) {
    static const char *const MEMBERS[] = {"header", "trusted", "hops", "ipv6_prefix"};
    static char lines[1 << 20];
    slice peer = text(call, "peer");
    json_t *config = json_object(), *given = json_object_get(call->request, "lines"), *line;
    size_t index, lines_len = 0;
    call->bad |= !json_is_array(given);
    json_array_foreach(given, index, line) {
        size_t len = json_string_length(line);
        call->bad |= !json_is_string(line) || lines_len + len + 1 > sizeof lines;
        if (!call->bad) {
            lines[lines_len] = '\n';
            lines_len += index > 0;
            memcpy(lines + lines_len, json_string_value(line), len);
            lines_len += len;
        }
    }
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        json_t *value = json_object_get(call->request, MEMBERS[i]);
        if (value != NULL) {
            json_object_set(config, MEMBERS[i], value);
        }
    }
    slice written = raw(call, config);
    json_decref(config);
    if (call->bad) {
        return DONJON_OK;
    }
    donjon_proxies *proxies = NULL;
    donjon_client client;
    int32_t status = donjon_proxies_new(written.bytes, written.len, &proxies);
    if (proxies != NULL) {
        status = donjon_proxies_client(proxies, peer.bytes, peer.len, (uint8_t *)lines, lines_len, &client);
    }
    if (status == DONJON_OK) {
        put(call, "ip", json_stringn((char *)client.ip, client.ip_len));
        put(call, "bucket", json_stringn((char *)client.bucket, client.bucket_len));
        put(call, "from_header", json_boolean(client.from_header));
    }
    donjon_proxies_free(proxies);
    return status;
}
