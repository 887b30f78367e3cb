/* The operations of passwords, for vectors.c. */

static donjon_hasher *hasher_of(call *call, slice config, int32_t *status) {
    json_t *given = json_object_get(call->request, "config"), *jwks = json_object_get(call->request, "keyring");
    if (given != NULL) {
        config = raw(call, given);
    }
    donjon_keyring *peppers = NULL;
    donjon_hasher *hasher = NULL;
    *status = DONJON_OK;
    if (jwks != NULL && !json_is_null(jwks)) {
        peppers = keyring_of(call, "keyring", status);
    }
    if (!call->bad && *status == DONJON_OK) {
        *status = donjon_hasher_new(peppers, config.bytes, config.len, &hasher);
    }
    donjon_keyring_free(peppers);
    return hasher;
}

static donjon_hasher *verifying_hasher(call *call, int32_t *status) {
    const char *plain = "{\"memory_budget_kib\":2097152}";
    const char *legacy = "{\"memory_budget_kib\":2097152,\"legacy\":[\"bcrypt\",\"pbkdf2\",\"scrypt\",\"argon2i\",\"argon2d\"]}";
    const char *config = boolean(call, "legacy") ? legacy : plain;
    return hasher_of(call, (slice){(const uint8_t *)config, strlen(config)}, status);
}

static uint8_t password_bytes[64 * 1024];

static slice password_of(call *call) {
    slice password = {password_bytes, hex(call, "password_hex", password_bytes, sizeof password_bytes)};
    return password;
}

static int32_t password_hash(call *call, uint8_t *out) {
    uint8_t salt[256];
    slice password = password_of(call);
    size_t salt_len = hex(call, "salt_hex", salt, sizeof salt), len = 0;
    json_t *fields = json_pack("{s:I,s:I,s:I,s:I,s:I,s:b}", "memory_kib", integer(call, "m_kib"), "time_cost", integer(call, "t"),
                               "parallelism", integer(call, "p"), "salt_len", (json_int_t)salt_len, "memory_budget_kib",
                               (json_int_t)2097152, "allow_weak", 1);
    slice config = raw(call, fields);
    json_decref(fields);
    int64_t now_s = integer_or(call, "now_s", 0);
    int32_t status;
    donjon_hasher *hasher = hasher_of(call, config, &status);
    if (hasher != NULL) {
        /* A probe draws no salt: there is nothing to draw from. */
        CHECK_STATUS(donjon_test_entropy(salt, 0), DONJON_OK);
        CHECK_STATUS(donjon_hasher_hash(hasher, password.bytes, password.len, now_s, NULL, 0, &len), DONJON_BUFFER_TOO_SMALL);
        CHECK(len == DONJON_PASSWORD_HASH_MAX);
        CHECK_STATUS(donjon_test_entropy(salt, salt_len), DONJON_OK);
        status = donjon_hasher_hash(hasher, password.bytes, password.len, now_s, out, DONJON_PASSWORD_HASH_MAX, &len);
        CHECK_STATUS(donjon_test_entropy(NULL, 0), DONJON_OK);
        if (status == DONJON_OK) {
            put(call, "hash", json_stringn((char *)out, len));
        }
    }
    donjon_hasher_free(hasher);
    return status;
}

static int32_t password_verify(call *call) {
    slice password = password_of(call), hash = text(call, "hash");
    int64_t now_s = integer_or(call, "now_s", 0);
    int32_t status;
    donjon_hasher *hasher = verifying_hasher(call, &status);
    if (hasher != NULL) {
        donjon_password_verdict verdict = {7, 7};
        status = donjon_hasher_verify(hasher, password.bytes, password.len, hash.bytes, hash.len, now_s, &verdict);
        int match = status == DONJON_OK;
        CHECK(match ? verdict.needs_rehash <= 1 && verdict.truncated <= 1 : verdict.needs_rehash == 7 && verdict.truncated == 7);
        put(call, "match", json_boolean(match));
        put(call, "needs_rehash", json_boolean(match && verdict.needs_rehash == 1));
        put(call, "truncated", json_boolean(match && verdict.truncated == 1));
        status = status == DONJON_PASSWORD_MISMATCH ? DONJON_OK : status;
    }
    donjon_hasher_free(hasher);
    return status;
}

static int32_t password_unknown_user(call *call) {
    slice password = password_of(call);
    int64_t now_s = integer_or(call, "now_s", 0);
    int32_t status;
    donjon_hasher *hasher = verifying_hasher(call, &status);
    if (hasher != NULL) {
        status = donjon_hasher_verify_unknown_user(hasher, password.bytes, password.len, now_s);
    }
    donjon_hasher_free(hasher);
    return status;
}

static int32_t password_needs_rehash(call *call) {
    slice hash = text(call, "hash");
    int64_t now_s = integer_or(call, "now_s", 0);
    int32_t status;
    donjon_hasher *hasher = verifying_hasher(call, &status);
    if (hasher != NULL) {
        uint32_t needs_rehash = 7;
        status = donjon_hasher_needs_rehash(hasher, hash.bytes, hash.len, now_s, &needs_rehash);
        put(call, "needs_rehash", json_boolean(needs_rehash == 1));
    }
    donjon_hasher_free(hasher);
    return status;
}

static int32_t password_strength(call *call, uint8_t *out) {
    slice password = text(call, "password"), profile = optional_text(call, "profile");
    slice inputs = optional_member(call, "user_inputs");
    size_t len = 0;
    if (call->bad) {
        return DONJON_OK;
    }
    int32_t status = donjon_password_strength(profile.bytes, profile.len, password.bytes, password.len, inputs.bytes, inputs.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        json_t *strength = json_loadb((char *)out, len, 0, NULL);
        json_object_update(call->answer, strength);
        json_decref(strength);
    }
    return status;
}

static int32_t breach_prefix(call *call, uint8_t *out) {
    slice password = password_of(call);
    size_t len = 0;
    int32_t status = donjon_password_breach_prefix(password.bytes, password.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put(call, "prefix", json_stringn((char *)out, len));
    }
    return status;
}

static int32_t breach_count(call *call) {
    slice password = password_of(call), range = text(call, "range");
    uint64_t count = 0;
    int32_t status = donjon_password_breach_count(password.bytes, password.len, range.bytes, range.len, &count);
    put(call, "count", json_integer((json_int_t)count));
    return status;
}
