/* The operations of envelopes, data keys, streams, blind indexes, settings, erasure and Fernet, for vectors.c. */

typedef struct {
    donjon_sealer *sealer;
    int64_t now_s;
} keyed;

static keyed keyed_of(call *call, int32_t *status) {
    keyed keyed = {NULL, integer_or(call, "now_s", 0)};
    donjon_keyring *keyring = keyring_of(call, "keyring", status);
    if (keyring != NULL) {
        *status = donjon_sealer_new(keyring, &keyed.sealer);
    }
    donjon_keyring_free(keyring);
    return keyed;
}

/* The encoded context; over its limit as well, which the kernel has to find. */
static slice context_of(call *call, int32_t *status) {
    static uint8_t encoded[DONJON_CONTEXT_MAX];
    json_t *parts = json_object_get(call->request, "context"), *part;
    size_t len = 0, index;
    call->bad |= !json_is_array(parts);
    json_array_foreach(parts, index, part) {
        call->bad |= !json_is_string(part);
        if (!call->bad && *status == DONJON_OK) {
            const uint8_t *bytes = (const uint8_t *)json_string_value(part);
            *status = donjon_context_append(encoded, len, bytes, json_string_length(part), encoded, sizeof encoded, &len);
        }
    }
    return (slice){encoded, len};
}

static void draws(slice entropy) {
    CHECK_STATUS(donjon_test_entropy(entropy.bytes, entropy.len), DONJON_OK);
}

static void draws_from_the_system(void) {
    CHECK_STATUS(donjon_test_entropy(NULL, 0), DONJON_OK);
}

static int32_t seal(call *call, const donjon_sealer *sealer, int64_t now_s, const char *name, uint8_t *out) {
    slice plaintext = bytes(call, "plaintext_hex"), entropy = bytes(call, "entropy_hex");
    int32_t status = DONJON_OK;
    slice context = context_of(call, &status);
    size_t len = 0, told = 0;
    if (call->bad || sealer == NULL || status != DONJON_OK) {
        return status;
    }
    CHECK_STATUS(donjon_sealer_sealed_len(sealer, plaintext.len, &told), DONJON_OK);
    CHECK(told <= MAX_OUT);
    draws(entropy);
    status = donjon_sealer_seal(sealer, context.bytes, context.len, now_s, plaintext.bytes, plaintext.len, out, told, &len);
    draws_from_the_system();
    if (status == DONJON_OK) {
        CHECK(len == told);
        put(call, name, to_hex(out, len));
    }
    return status;
}

static int32_t open_envelope(call *call, const donjon_sealer *sealer, int64_t now_s, const char *name, uint8_t *out) {
    slice envelope = bytes(call, name);
    int32_t status = DONJON_OK;
    slice context = context_of(call, &status);
    size_t len = 0, told = 0;
    if (call->bad || sealer == NULL || status != DONJON_OK) {
        return status;
    }
    if (envelope.len > MAX_OUT / 2) {
        abort();
    }
    memset(out, 0xA5, envelope.len);
    int32_t probed = donjon_sealer_open(sealer, context.bytes, context.len, now_s, envelope.bytes, envelope.len, NULL, 0, &told);
    status = donjon_sealer_open(sealer, context.bytes, context.len, now_s, envelope.bytes, envelope.len, out, envelope.len, &len);
    if (status == DONJON_OK) {
        CHECK(len == 0 ? probed == DONJON_OK : probed == DONJON_BUFFER_TOO_SMALL && told == len);
        put(call, "plaintext_hex", to_hex(out, len));
    } else {
        for (size_t i = 0; i < envelope.len; i++) {
            if (out[i] != 0 && out[i] != 0xA5) {
                CHECK(!"a refusal left nothing behind");
                break;
            }
        }
    }
    return status;
}

static int32_t chunked(call *call, uint8_t *out, int seals) {
    slice key = bytes(call, "key_hex"), context = bytes(call, "context_hex"), salt = NOTHING;
    slice input = bytes(call, seals ? "plaintext_hex" : "message_hex");
    size_t len = 0;
    int32_t status;
    if (seals) {
        salt = bytes(call, "salt_hex");
    }
    if (call->bad) {
        return DONJON_OK;
    }
    if (seals) {
        draws(salt);
        status = donjon_chunked_seal(key.bytes, key.len, context.bytes, context.len, input.bytes, input.len, out, MAX_OUT, &len);
        draws_from_the_system();
    } else {
        status = donjon_chunked_open(key.bytes, key.len, context.bytes, context.len, input.bytes, input.len, out, MAX_OUT, &len);
    }
    if (status == DONJON_OK) {
        put(call, seals ? "message_hex" : "plaintext_hex", to_hex(out, len));
    }
    return status;
}

static int32_t envelope_seal(call *call, uint8_t *out) {
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    if (status == DONJON_OK) {
        status = seal(call, keyed.sealer, keyed.now_s, "envelope_hex", out);
    }
    if (status == DONJON_OK && keyed.sealer != NULL) {
        size_t len = 0;
        status = donjon_sealer_key_id(keyed.sealer, out, MAX_OUT, &len);
        put(call, "kid", json_stringn((char *)out, len));
    }
    donjon_sealer_free(keyed.sealer);
    return status;
}

static int32_t envelope_open(call *call, uint8_t *out) {
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    if (status == DONJON_OK) {
        status = open_envelope(call, keyed.sealer, keyed.now_s, "envelope_hex", out);
    }
    donjon_sealer_free(keyed.sealer);
    return status;
}

static size_t at_most(size_t len, size_t most) {
    return len < most ? len : most;
}

static int32_t envelope_rewrap(call *call, uint8_t *out) {
    slice envelope = bytes(call, "envelope_hex"), entropy = bytes(call, "entropy_hex");
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    if (keyed.sealer != NULL) {
        size_t len = 0, old = 0;
        draws(entropy);
        status = donjon_sealer_rewrap(keyed.sealer, keyed.sealer, keyed.now_s, envelope.bytes, at_most(envelope.len, DONJON_ENVELOPE_PREFIX_MAX), &old, out, DONJON_ENVELOPE_PREFIX_MAX, &len);
        draws_from_the_system();
        if (status == DONJON_OK) {
            memcpy(out + len, envelope.bytes + old, envelope.len - old);
            put(call, "envelope_hex", to_hex(out, len + envelope.len - old));
        }
    }
    donjon_sealer_free(keyed.sealer);
    return status;
}

static int32_t envelope_needs_rewrap(call *call) {
    slice envelope = bytes(call, "envelope_hex");
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    if (keyed.sealer != NULL) {
        uint32_t needs = 7;
        status = donjon_sealer_needs_rewrap(keyed.sealer, envelope.bytes, envelope.len, &needs);
        CHECK(status == DONJON_OK ? needs <= 1 : needs == 7);
        put(call, "needs_rewrap", json_boolean(needs == 1));
    }
    donjon_sealer_free(keyed.sealer);
    return status;
}

static int32_t envelope_inspect(call *call, uint8_t *out) {
    slice envelope = bytes(call, "envelope_hex");
    size_t len = 0;
    if (call->bad) {
        return DONJON_OK;
    }
    int32_t status = donjon_envelope_inspect(envelope.bytes, envelope.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put(call, "inspection", json_loadb((char *)out, len, 0, NULL));
    }
    return status;
}

static int32_t passphrase(call *call, uint8_t *out, int seals) {
    slice words = bytes(call, "passphrase_hex");
    int64_t memory_kib = 0, time_cost = 0, parallelism = 0;
    if (seals) {
        memory_kib = integer(call, "memory_kib"), time_cost = integer(call, "time_cost"), parallelism = integer(call, "parallelism");
        call->bad |= memory_kib < 1 || time_cost < 1 || parallelism < 1;
    }
    if (call->bad) {
        return DONJON_OK;
    }
    donjon_sealer *sealer = NULL;
    int32_t status = donjon_sealer_from_passphrase(words.bytes, words.len, (uint32_t)memory_kib, (uint32_t)time_cost, (uint32_t)parallelism, &sealer);
    if (sealer != NULL) {
        status = seals ? seal(call, sealer, 0, "envelope_hex", out) : open_envelope(call, sealer, 0, "envelope_hex", out);
    }
    donjon_sealer_free(sealer);
    return status;
}

static int32_t external(call *call, uint8_t *out, int seals) {
    slice data_key = bytes(call, "data_key_hex"), key_id = text(call, "key_id"), wrapped = bytes(call, "wrapped_key_hex");
    if (call->bad) {
        return DONJON_OK;
    }
    donjon_sealer *sealer = NULL;
    int32_t status = donjon_sealer_from_external(data_key.bytes, data_key.len, key_id.bytes, key_id.len, wrapped.bytes, wrapped.len, &sealer);
    if (sealer != NULL) {
        status = seals ? seal(call, sealer, 0, "envelope_hex", out) : open_envelope(call, sealer, 0, "envelope_hex", out);
    }
    donjon_sealer_free(sealer);
    return status;
}

static int32_t data_key_new(call *call, uint8_t *out) {
    slice scope = text(call, "scope"), entropy = bytes(call, "entropy_hex");
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    donjon_sealer *data_key = NULL;
    if (keyed.sealer != NULL) {
        size_t len = 0;
        draws(entropy);
        status = donjon_data_key_new(keyed.sealer, scope.bytes, scope.len, keyed.now_s, out, DONJON_ENVELOPE_PREFIX_MAX, &len, &data_key);
        draws_from_the_system();
        CHECK((status == DONJON_OK) == (data_key != NULL));
        if (data_key != NULL) {
            put(call, "data_key_hex", to_hex(out, len));
            CHECK_STATUS(donjon_sealer_key_id(data_key, out, MAX_OUT, &len), DONJON_OK);
            put(call, "key_id", json_stringn((char *)out, len));
        }
    }
    donjon_sealer_free(data_key);
    donjon_sealer_free(keyed.sealer);
    return status;
}

static int32_t data_key_rewrap(call *call, uint8_t *out) {
    slice scope = text(call, "scope"), wrapped = bytes(call, "data_key_hex"), entropy = bytes(call, "entropy_hex");
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    if (keyed.sealer != NULL) {
        size_t len = 0;
        draws(entropy);
        status = donjon_data_key_rewrap(keyed.sealer, keyed.sealer, scope.bytes, scope.len, keyed.now_s, wrapped.bytes, wrapped.len, out, DONJON_ENVELOPE_PREFIX_MAX, &len);
        draws_from_the_system();
        if (status == DONJON_OK) {
            put(call, "data_key_hex", to_hex(out, len));
        }
    }
    donjon_sealer_free(keyed.sealer);
    return status;
}

static int32_t cell(call *call, uint8_t *out, int seals) {
    slice scope = text(call, "scope"), wrapped = bytes(call, "data_key_hex");
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    donjon_sealer *data_key = NULL;
    if (keyed.sealer != NULL) {
        status = donjon_data_key_open(keyed.sealer, scope.bytes, scope.len, keyed.now_s, wrapped.bytes, wrapped.len, &data_key);
    }
    /* A data key outlives what unwrapped it. */
    donjon_sealer_free(keyed.sealer);
    if (data_key != NULL) {
        status = seals ? seal(call, data_key, keyed.now_s, "cell_hex", out) : open_envelope(call, data_key, keyed.now_s, "cell_hex", out);
    }
    donjon_sealer_free(data_key);
    return status;
}

static slice piece_of(call *call, json_t *piece) {
    return unhex(call, (slice){(const uint8_t *)json_string_value(piece), json_string_length(piece)});
}

static int32_t stream_seal(call *call, uint8_t *out) {
    slice entropy = bytes(call, "entropy_hex");
    json_t *pieces = json_object_get(call->request, "pieces_hex"), *piece;
    size_t index, len = 0, made = 0;
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    slice context = context_of(call, &status);
    donjon_encryptor *encryptor = NULL;
    if (keyed.sealer != NULL && status == DONJON_OK) {
        draws(entropy);
        status = donjon_encryptor_new(keyed.sealer, context.bytes, context.len, keyed.now_s, 1, out, MAX_OUT, &len, &encryptor);
        draws_from_the_system();
    }
    donjon_sealer_free(keyed.sealer);
    if (encryptor != NULL) {
        json_array_foreach(pieces, index, piece) {
            slice plaintext = piece_of(call, piece);
            CHECK_STATUS(donjon_encryptor_push(encryptor, plaintext.bytes, plaintext.len, out + len, MAX_OUT - len, &made), DONJON_OK);
            len += made;
        }
        CHECK_STATUS(donjon_encryptor_finish(encryptor, out + len, MAX_OUT - len, &made), DONJON_OK);
        put(call, "envelope_hex", to_hex(out, len + made));
    }
    donjon_encryptor_free(encryptor);
    return status;
}

static int32_t stream_open(call *call, uint8_t *out) {
    static uint8_t gathered[MAX_OUT];
    json_t *pieces = json_object_get(call->request, "pieces_hex");
    size_t next = 0, held = 0, consumed = 0, len = 0, made = 0;
    while (held < DONJON_ENVELOPE_PREFIX_MAX && next < json_array_size(pieces)) {
        slice piece = piece_of(call, json_array_get(pieces, next++));
        memcpy(gathered + held, piece.bytes, piece.len);
        held += piece.len;
    }
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    slice context = context_of(call, &status);
    donjon_decryptor *decryptor = NULL;
    if (keyed.sealer != NULL && status == DONJON_OK) {
        status = donjon_decryptor_new(keyed.sealer, context.bytes, context.len, keyed.now_s, 1, gathered, at_most(held, DONJON_ENVELOPE_PREFIX_MAX), &consumed, &decryptor);
    }
    donjon_sealer_free(keyed.sealer);
    if (decryptor != NULL) {
        status = donjon_decryptor_push(decryptor, gathered + consumed, held - consumed, out, MAX_OUT, &len);
        while (status == DONJON_OK && next < json_array_size(pieces)) {
            slice piece = piece_of(call, json_array_get(pieces, next++));
            status = donjon_decryptor_push(decryptor, piece.bytes, piece.len, out + len, MAX_OUT - len, &made);
            len += status == DONJON_OK ? made : 0;
        }
        if (status == DONJON_OK) {
            status = donjon_decryptor_finish(decryptor, out + len, MAX_OUT - len, &made);
        }
        if (status == DONJON_OK) {
            put(call, "plaintext_hex", to_hex(out, len + made));
        }
    }
    donjon_decryptor_free(decryptor);
    return status;
}

static int32_t reader_read(call *call, uint8_t *out) {
    slice envelope = bytes(call, "envelope_hex");
    int64_t offset = integer(call, "offset"), length = integer(call, "length");
    int32_t status;
    keyed keyed = keyed_of(call, &status);
    slice context = context_of(call, &status);
    donjon_reader *reader = NULL;
    if (keyed.sealer != NULL && status == DONJON_OK) {
        size_t tail = at_most(envelope.len, DONJON_READER_TAIL_MAX);
        status = donjon_reader_new(keyed.sealer, context.bytes, context.len, keyed.now_s, envelope.bytes, at_most(envelope.len, DONJON_ENVELOPE_PREFIX_MAX), envelope.bytes + envelope.len - tail, tail, envelope.len, &reader);
    }
    donjon_sealer_free(keyed.sealer);
    if (reader != NULL) {
        uint64_t size = 0, at = 0, span = 0;
        size_t len = 0;
        CHECK_STATUS(donjon_reader_len(reader, &size), DONJON_OK);
        CHECK_STATUS(donjon_reader_span(reader, (uint64_t)offset, (uint64_t)length, &at, &span), DONJON_OK);
        CHECK(at + span <= envelope.len);
        status = donjon_reader_read(reader, (uint64_t)offset, (uint64_t)length, envelope.bytes + at, (size_t)span, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put(call, "plaintext_hex", to_hex(out, len));
            put(call, "size", json_integer((json_int_t)size));
        }
    }
    donjon_reader_free(reader);
    return status;
}

static int32_t blind_index(call *call, uint8_t *out) {
    slice tenant = text(call, "tenant"), table = text(call, "table"), column = text(call, "column"), value = bytes(call, "value_hex");
    int64_t bits = integer(call, "bits"), now_s = integer_or(call, "now_s", 0);
    call->bad |= bits < 0 || bits > UINT32_MAX;
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    donjon_blind_index *index = NULL;
    if (keyring != NULL) {
        status = donjon_blind_index_new(keyring, tenant.bytes, tenant.len, table.bytes, table.len, column.bytes, column.len, (uint32_t)bits, &index);
    }
    donjon_keyring_free(keyring);
    if (index != NULL) {
        size_t each = 0, all = 0;
        status = donjon_blind_index_value(index, now_s, value.bytes, value.len, out, MAX_OUT, &each);
        if (status == DONJON_OK) {
            put(call, "index_hex", to_hex(out, each));
            json_t *candidates = json_array();
            CHECK_STATUS(donjon_blind_index_candidates(index, now_s, value.bytes, value.len, out, MAX_OUT, &all), DONJON_OK);
            CHECK(all % each == 0);
            for (size_t at = 0; at < all; at += each) {
                json_array_append_new(candidates, to_hex(out + at, each));
            }
            put(call, "candidates_hex", candidates);
        }
    }
    donjon_blind_index_free(index);
    return status;
}

static int32_t setting(call *call, uint8_t *out, int seals) {
    slice name = text(call, "name"), input = text(call, seals ? "value" : "text"), entropy = NOTHING;
    int64_t now_s = integer_or(call, "now_s", 0);
    size_t len = 0;
    int32_t status;
    if (seals) {
        entropy = bytes(call, "entropy_hex");
    }
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    if (keyring != NULL && seals) {
        draws(entropy);
        status = donjon_setting_seal(keyring, name.bytes, name.len, input.bytes, input.len, now_s, out, MAX_OUT, &len);
        draws_from_the_system();
    } else if (keyring != NULL) {
        status = donjon_setting_open(keyring, name.bytes, name.len, input.bytes, input.len, now_s, out, MAX_OUT, &len);
    }
    donjon_keyring_free(keyring);
    if (status == DONJON_OK && !call->bad) {
        put(call, seals ? "text" : "value", json_stringn((char *)out, len));
    }
    return status;
}

static int32_t erasure(call *call, uint8_t *out) {
    json_t *ids = json_object_get(call->request, "key_ids"), *id, *backups = json_object_get(call->request, "backups_expire_s");
    int64_t now_s = integer(call, "now_s"), end = json_is_null(backups) ? DONJON_NEVER : integer(call, "backups_expire_s");
    size_t index, len = 0;
    call->bad |= !json_is_array(ids);
    json_array_foreach(ids, index, id) {
        call->bad |= !json_is_string(id);
    }
    slice key_ids = raw(call, ids);
    int32_t status;
    donjon_keyring *keyring = keyring_of(call, "keyring", &status);
    if (keyring != NULL) {
        status = donjon_erasure(keyring, key_ids.bytes, key_ids.len, end, now_s, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            json_t *verdict = json_loadb((char *)out, len, 0, NULL);
            json_object_update(call->answer, verdict);
            json_decref(verdict);
        }
    }
    donjon_keyring_free(keyring);
    return status;
}

static int32_t fernet(call *call, const char *what, uint8_t *out) {
    int encrypts = strcmp(what, "fernet_encrypt") == 0, decrypts = strcmp(what, "fernet_decrypt") == 0, rotates = strcmp(what, "fernet_rotate") == 0;
    slice key = text(call, "key"), token = NOTHING, plaintext = NOTHING, iv = NOTHING;
    int64_t now_s = 0, ttl_s = DONJON_NO_TTL, timestamp_s = 0;
    if (encrypts) {
        plaintext = bytes(call, "plaintext_hex");
    } else {
        token = text(call, "token");
    }
    if (encrypts || rotates) {
        iv = bytes(call, "iv_hex");
    }
    if (encrypts || decrypts) {
        now_s = integer(call, "now_s");
    }
    if (decrypts && !json_is_null(json_object_get(call->request, "ttl_s"))) {
        ttl_s = integer(call, "ttl_s");
        /* What the ABI has for none is no time to live of the request's. */
        ttl_s = ttl_s == DONJON_NO_TTL ? DONJON_NEVER : ttl_s;
    }
    if (call->bad) {
        return DONJON_OK;
    }
    donjon_fernet *fernet = NULL;
    size_t len = 0;
    int32_t status = donjon_fernet_new(key.bytes, key.len, &fernet);
    if (fernet == NULL) {
        return status;
    }
    if (encrypts || rotates) {
        draws(iv);
    }
    if (encrypts) {
        size_t told = donjon_fernet_token_len(plaintext.len);
        status = donjon_fernet_encrypt(fernet, now_s, plaintext.bytes, plaintext.len, out, told, &len);
        CHECK(status != DONJON_OK || len == told);
    } else if (decrypts) {
        status = donjon_fernet_decrypt(fernet, now_s, ttl_s, token.bytes, token.len, out, token.len, &len);
    } else if (rotates) {
        status = donjon_fernet_rotate(fernet, token.bytes, token.len, out, token.len, &len);
    } else {
        status = donjon_fernet_timestamp(fernet, token.bytes, token.len, &timestamp_s);
    }
    draws_from_the_system();
    donjon_fernet_free(fernet);
    if (status == DONJON_OK && decrypts) {
        put(call, "plaintext_hex", to_hex(out, len));
    } else if (status == DONJON_OK && (encrypts || rotates)) {
        put(call, "token", json_stringn((char *)out, len));
    } else if (status == DONJON_OK) {
        put(call, "timestamp_s", json_integer(timestamp_s));
    }
    return status;
}

static int32_t fernet_derive_key(call *call, uint8_t *out) {
    slice password = bytes(call, "password_hex"), salt = bytes(call, "salt_hex");
    int64_t iterations = integer(call, "iterations");
    size_t len = 0;
    call->bad |= iterations < 0 || iterations > UINT32_MAX;
    if (call->bad) {
        return DONJON_OK;
    }
    int32_t status = donjon_fernet_derive_key(password.bytes, password.len, salt.bytes, salt.len, (uint32_t)iterations, out, DONJON_FERNET_KEY_LEN, &len);
    if (status == DONJON_OK) {
        put(call, "key", json_stringn((char *)out, len));
    }
    return status;
}

static int32_t aes_engine_open(call *call, uint8_t *out) {
    static const char *const PADDINGS[] = {"pkcs5", "naive", "oneandzeroes", "zeroes"};
    slice secret = bytes(call, "secret_hex"), stored = text(call, "text"), name = text(call, "padding");
    uint32_t padding = 0;
    while (padding < 4 && !(name.len == strlen(PADDINGS[padding]) && memcmp(name.bytes, PADDINGS[padding], name.len) == 0)) {
        padding++;
    }
    size_t len = 0;
    call->bad |= padding == 4;
    if (call->bad) {
        return DONJON_OK;
    }
    int32_t status = donjon_aes_engine_open(secret.bytes, secret.len, padding, stored.bytes, stored.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put(call, "plaintext_hex", to_hex(out, len));
    }
    return status;
}
