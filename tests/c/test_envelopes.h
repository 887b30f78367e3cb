/* Envelopes through the C ABI, and what a hostile caller gets, for test_donjon.c. */

static const char SEALING[] =
    "{\"keys\":["
    "{\"kty\":\"oct\",\"kid\":\"e1\",\"alg\":\"HS256\",\"purpose\":\"envelope\",\"status\":\"primary\",\"k\":\"pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU\"},"
    "{\"kty\":\"oct\",\"kid\":\"s1\",\"alg\":\"HS256\",\"purpose\":\"settings\",\"status\":\"primary\",\"k\":\"zGLuHbk3xtJNkv0tRotLXLIkrXYhutSNkYf6PZ6OxnY\"},"
    "{\"kty\":\"oct\",\"kid\":\"b1\",\"alg\":\"HS256\",\"purpose\":\"blind-index\",\"status\":\"primary\",\"epoch\":1,\"k\":\"vvb31mGBJRCeYyxny08ustKmg_7hywUXzuCR4HTRXag\"}]}";
static const uint8_t DATA_KEY[32] = {1, 2, 3};

enum { BOUND_LEN = 24, FILE_LEN = 3 * DONJON_CHUNK_LEN + 100 };
/* ["users","email","42"]: lengths, then the parts. */
static const uint8_t BOUND[] = "\0\0\0\5users\0\0\0\5email\0\0\0\2" "42";

static struct {
    donjon_keyring *keyring;
    donjon_sealer *keyed, *phrase, *external, *data_key;
} sealing;

static void begin_sealing(void) {
    uint8_t wrapped[DONJON_ENVELOPE_PREFIX_MAX];
    size_t len = 0;
    CHECK_STATUS(donjon_keyring_from_jwks(TEXT(SEALING), &sealing.keyring), DONJON_OK);
    CHECK_STATUS(donjon_sealer_new(sealing.keyring, &sealing.keyed), DONJON_OK);
    CHECK_STATUS(donjon_sealer_from_passphrase(TEXT("words"), 8, 1, 1, &sealing.phrase), DONJON_OK);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, sizeof DATA_KEY, TEXT("kms"), TEXT("blob"), &sealing.external), DONJON_OK);
    CHECK_STATUS(donjon_data_key_new(sealing.keyed, TEXT("acme"), NOW, wrapped, sizeof wrapped, &len, &sealing.data_key), DONJON_OK);
}

static void end_sealing(void) {
    donjon_sealer_free(sealing.data_key);
    donjon_sealer_free(sealing.external);
    donjon_sealer_free(sealing.phrase);
    donjon_sealer_free(sealing.keyed);
    donjon_keyring_free(sealing.keyring);
}

/* No two chunks of it are the same. */
static const uint8_t *file(void) {
    static uint8_t bytes[FILE_LEN];
    static int made;
    for (size_t i = 0; i < sizeof bytes && !made; i++) {
        bytes[i] = (uint8_t)(i % 251 ^ i / DONJON_CHUNK_LEN);
    }
    made = 1;
    return bytes;
}

static size_t sealed(const donjon_sealer *sealer, const uint8_t *plaintext, size_t plaintext_len, uint8_t *out, size_t cap) {
    size_t told = 0, len = 0;
    CHECK_STATUS(donjon_sealer_sealed_len(sealer, plaintext_len, &told), DONJON_OK);
    CHECK(told <= cap);
    CHECK_STATUS(donjon_sealer_seal(sealer, BOUND, BOUND_LEN, NOW, plaintext, plaintext_len, out, told, &len), DONJON_OK);
    CHECK(len == told);
    return len;
}

static int32_t opened(const donjon_sealer *sealer, const uint8_t *envelope, size_t envelope_len, uint8_t *out, size_t cap, size_t *len) {
    return donjon_sealer_open(sealer, BOUND, BOUND_LEN, NOW, envelope, envelope_len, out, cap, len);
}

static void envelopes_open_in_their_place_and_nowhere_else(void) {
    static uint8_t envelope[FILE_LEN + 512], out[FILE_LEN];
    begin_sealing();
    CHECK(sizeof BOUND - 1 == BOUND_LEN);
    donjon_sealer *all[] = {sealing.keyed, sealing.phrase, sealing.external, sealing.data_key};
    static const size_t SIZES[] = {0, 1, 16383, 16384, 16385, 3 * 16384, FILE_LEN};
    for (size_t s = 0; s < 4; s++) {
        for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
            size_t len = 0, told = 0, envelope_len = sealed(all[s], SIZES[i] == 0 ? NULL : file(), SIZES[i], envelope, sizeof envelope);
            CHECK_STATUS(opened(all[s], envelope, envelope_len, out, SIZES[i], &len), DONJON_OK);
            CHECK(len == SIZES[i] && memcmp(out, file(), len) == 0);
            if (SIZES[i] == 0) {
                CHECK_STATUS(opened(all[s], envelope, envelope_len, NULL, 0, &len), DONJON_OK);
                continue;
            }
            memset(out, UNTOUCHED, SIZES[i]);
            CHECK_STATUS(opened(all[s], envelope, envelope_len, out, SIZES[i] - 1, &told), DONJON_BUFFER_TOO_SMALL);
            CHECK(told == SIZES[i] && is_untouched(out, SIZES[i]));
            /* Elsewhere, and without a place: nothing, or zeros. */
            CHECK_STATUS(donjon_sealer_open(all[s], BOUND, 18, NOW, envelope, envelope_len, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
            CHECK_STATUS(donjon_sealer_open(all[s], NULL, 0, NOW, envelope, envelope_len, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
            /* A last chunk that was changed leaves nothing of those before it. */
            envelope[envelope_len - 1] ^= 1;
            memset(out, UNTOUCHED, SIZES[i]);
            CHECK_STATUS(opened(all[s], envelope, envelope_len, out, SIZES[i], &len), DONJON_DECRYPT_FAILED);
            for (size_t at = 0; at < SIZES[i]; at++) {
                if (out[at] != 0 && out[at] != UNTOUCHED) {
                    CHECK(!"plaintext is left behind");
                    break;
                }
            }
        }
    }
    for (size_t s = 0; s < 4; s++) {
        size_t len = 0, envelope_len = sealed(all[s], file(), 40, envelope, sizeof envelope);
        for (size_t t = 0; t < 4; t++) {
            CHECK_STATUS(opened(all[t], envelope, envelope_len, out, sizeof out, &len), s == t ? DONJON_OK : DONJON_DECRYPT_FAILED);
        }
        CHECK_STATUS(opened(all[s], envelope, 0, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
        CHECK_STATUS(opened(all[s], NULL, 0, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
        for (size_t cut = 1; cut < envelope_len; cut++) {
            /* Exactly as long as it says: a read behind it would be seen. */
            uint8_t *exact = malloc(cut);
            memcpy(exact, envelope, cut);
            CHECK_STATUS(opened(all[s], exact, cut, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
            free(exact);
        }
    }
    end_sealing();
}

static void contexts_are_appended_in_place_and_bounded(void) {
    uint8_t context[DONJON_CONTEXT_MAX + 8], part[DONJON_CONTEXT_MAX + 1] = {0}, small[8];
    size_t len = 0, needed = 0;
    CHECK_STATUS(donjon_context_append(NULL, 0, TEXT("users"), context, sizeof context, &len), DONJON_OK);
    CHECK_STATUS(donjon_context_append(context, len, TEXT("email"), context, sizeof context, &len), DONJON_OK);
    CHECK_STATUS(donjon_context_append(context, len, TEXT("42"), context, sizeof context, &len), DONJON_OK);
    CHECK(len == BOUND_LEN && memcmp(context, BOUND, BOUND_LEN) == 0);
    CHECK_STATUS(donjon_context_append(NULL, 0, NULL, 0, context, sizeof context, &len), DONJON_OK);
    CHECK(len == 4 && memcmp(context, "\0\0\0\0", 4) == 0);
    memset(small, UNTOUCHED, sizeof small);
    CHECK_STATUS(donjon_context_append(NULL, 0, TEXT("users"), small, sizeof small, &needed), DONJON_BUFFER_TOO_SMALL);
    CHECK(needed == 9 && is_untouched(small, sizeof small));
    CHECK_STATUS(donjon_context_append(NULL, 0, part, DONJON_CONTEXT_MAX - 4, context, sizeof context, &len), DONJON_OK);
    CHECK(len == DONJON_CONTEXT_MAX);
    CHECK_STATUS(donjon_context_append(context, len, NULL, 0, context, sizeof context, &needed), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_context_append(NULL, 0, part, DONJON_CONTEXT_MAX - 3, context, sizeof context, &needed), DONJON_TOO_LARGE);

    begin_sealing();
    uint8_t envelope[512];
    donjon_encryptor *encryptor = NULL;
    /* What is no encoding is a caller's mistake, not a context: a bare name, a part cut off. */
    static const char *const NONE[] = {"users", "\0\0\0", "\0\0\0\2a", "\xff\xff\xff\xff"};
    static const size_t LENGTHS[] = {5, 3, 5, 4};
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *none = (const uint8_t *)NONE[i];
        CHECK_STATUS(donjon_sealer_seal(sealing.keyed, none, LENGTHS[i], NOW, NULL, 0, envelope, sizeof envelope, &len), DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_sealer_open(sealing.keyed, none, LENGTHS[i], NOW, NULL, 0, envelope, sizeof envelope, &len), DONJON_INVALID_ARGUMENT);
        uint8_t prefix[DONJON_ENVELOPE_PREFIX_MAX];
        CHECK_STATUS(donjon_encryptor_new(sealing.keyed, none, LENGTHS[i], NOW, 1, prefix, sizeof prefix, &len, &encryptor), DONJON_INVALID_ARGUMENT);
    }
    CHECK_STATUS(donjon_sealer_seal(sealing.keyed, context, DONJON_CONTEXT_MAX + 4, NOW, NULL, 0, envelope, sizeof envelope, &len), DONJON_TOO_LARGE);
    CHECK(encryptor == NULL);
    end_sealing();
}

static void buffers_of_envelopes_are_exact_and_probing_draws_nothing(void) {
    begin_sealing();
    static uint8_t envelope[512], message[256];
    size_t envelope_len = sealed(sealing.keyed, file(), 40, envelope, sizeof envelope), message_len = 0, told = 0;
    donjon_sealer *made = NULL;
    donjon_encryptor *encryptor = NULL;
    CHECK_STATUS(donjon_chunked_seal(DATA_KEY, 32, TEXT("c"), file(), 40, message, sizeof message, &message_len), DONJON_OK);
    CHECK_STATUS(donjon_sealer_sealed_len(sealing.keyed, 40, &told), DONJON_OK);
#define SEAL(out, cap, len) donjon_sealer_seal(sealing.keyed, BOUND, BOUND_LEN, NOW, file(), 40, out, cap, len)
#define OPEN(out, cap, len) donjon_sealer_open(sealing.keyed, BOUND, BOUND_LEN, NOW, envelope, envelope_len, out, cap, len)
#define KEY_ID(out, cap, len) donjon_sealer_key_id(sealing.data_key, out, cap, len)
#define INSPECT(out, cap, len) donjon_envelope_inspect(envelope, envelope_len, out, cap, len)
#define CHUNKED_SEAL(out, cap, len) donjon_chunked_seal(DATA_KEY, 32, TEXT("c"), file(), 40, out, cap, len)
#define CHUNKED_OPEN(out, cap, len) donjon_chunked_open(DATA_KEY, 32, TEXT("c"), message, message_len, out, cap, len)
#define EXTERNAL_KEY(out, cap, len) donjon_external_key_generate(out, cap, len)
#define SEALER_DIAGNOSE(out, cap, len) donjon_sealer_diagnose(sealing.keyring, out, cap, len)
#define APPEND(out, cap, len) donjon_context_append(NULL, 0, TEXT("users"), out, cap, len)
    CHECK_BUFFER(SEAL, told);
    CHECK_BUFFER(OPEN, 40);
    CHECK_BUFFER(KEY_ID, 16);
    CHECK_BUFFER(INSPECT, 0);
    CHECK_BUFFER(CHUNKED_SEAL, 24 + 32 + 40 + 16);
    CHECK_BUFFER(CHUNKED_OPEN, 40);
    CHECK_BUFFER(EXTERNAL_KEY, DONJON_DATA_KEY_LEN);
    CHECK_BUFFER(SEALER_DIAGNOSE, 4);
    CHECK_BUFFER(APPEND, 9);
    /* Those that want room for any envelope's beginning. */
    static uint8_t room[DONJON_ENVELOPE_PREFIX_MAX];
    size_t len = 0, old = 77;
    memset(room, UNTOUCHED, sizeof room);
    CHECK_STATUS(donjon_data_key_new(sealing.keyed, TEXT("acme"), NOW, room, sizeof room - 1, &len, &made), DONJON_BUFFER_TOO_SMALL);
    CHECK(len == sizeof room && is_untouched(room, sizeof room) && made == NULL);
    CHECK_STATUS(donjon_encryptor_new(sealing.keyed, BOUND, BOUND_LEN, NOW, 1, room, sizeof room - 1, &len, &encryptor), DONJON_BUFFER_TOO_SMALL);
    CHECK(len == sizeof room && is_untouched(room, sizeof room) && encryptor == NULL);
    CHECK_STATUS(donjon_sealer_rewrap(sealing.keyed, sealing.keyed, NOW, envelope, envelope_len, &old, room, sizeof room - 1, &len), DONJON_BUFFER_TOO_SMALL);
    CHECK(len == sizeof room && is_untouched(room, sizeof room) && old == 77);
    CHECK_STATUS(donjon_sealer_sealed_len(sealing.keyed, SIZE_MAX, &len), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_sealer_sealed_len(sealing.keyed, SIZE_MAX / 2, &len), DONJON_TOO_LARGE);
    CHECK(donjon_stream_bound(0) >= DONJON_CHUNK_LEN + 16 && donjon_stream_bound(SIZE_MAX) >= SIZE_MAX / 2);
    end_sealing();
}

static void an_output_that_is_an_input_is_refused(void) {
    begin_sealing();
    static uint8_t shared_bytes[4096];
    size_t len = 0, envelope_len = sealed(sealing.external, file(), 40, shared_bytes, sizeof shared_bytes);
    /* The same bytes, one in common at either end, one within the other. */
    static const size_t OFFSETS[] = {0, 1, 39};
    for (size_t i = 0; i < 3; i++) {
        uint8_t *out = shared_bytes + OFFSETS[i];
        CHECK_STATUS(opened(sealing.external, shared_bytes, envelope_len, out, 40, &len), DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_sealer_seal(sealing.external, NULL, 0, NOW, shared_bytes, 40, out, 1024, &len), DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_chunked_seal(DATA_KEY, 32, NULL, 0, shared_bytes, 40, out, 1024, &len), DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_chunked_seal(shared_bytes, 32, NULL, 0, file(), 40, out, 1024, &len), OFFSETS[i] < 32 ? DONJON_INVALID_ARGUMENT : DONJON_OK);
    }
    envelope_len = sealed(sealing.external, file(), 40, shared_bytes, sizeof shared_bytes);
    CHECK_STATUS(opened(sealing.external, shared_bytes, envelope_len, shared_bytes + envelope_len - 1, 40, &len), DONJON_INVALID_ARGUMENT);
    /* Side by side is well. */
    CHECK_STATUS(opened(sealing.external, shared_bytes, envelope_len, shared_bytes + envelope_len, 40, &len), DONJON_OK);
    CHECK(memcmp(shared_bytes + envelope_len, file(), 40) == 0);
    /* A context is an input too. */
    memcpy(shared_bytes, BOUND, BOUND_LEN);
    CHECK_STATUS(donjon_sealer_seal(sealing.external, shared_bytes, BOUND_LEN, NOW, file(), 40, shared_bytes + 23, 1024, &len), DONJON_INVALID_ARGUMENT);
    CHECK(memcmp(shared_bytes, BOUND, BOUND_LEN) == 0);

    static uint8_t prefix[DONJON_ENVELOPE_PREFIX_MAX];
    donjon_encryptor *encryptor = NULL;
    CHECK_STATUS(donjon_encryptor_new(sealing.external, NULL, 0, NOW, 1, prefix, sizeof prefix, &len, &encryptor), DONJON_OK);
    static uint8_t chunk[2 * DONJON_CHUNK_LEN];
    CHECK_STATUS(donjon_encryptor_push(encryptor, chunk, DONJON_CHUNK_LEN, chunk, sizeof chunk, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_encryptor_push(encryptor, chunk, DONJON_CHUNK_LEN, chunk + DONJON_CHUNK_LEN - 1, DONJON_CHUNK_LEN + 1, &len), DONJON_BUFFER_TOO_SMALL);
    static uint8_t elsewhere[DONJON_CHUNK_LEN + 16];
    /* Nothing was pushed by those. */
    CHECK_STATUS(donjon_encryptor_push(encryptor, chunk, DONJON_CHUNK_LEN, elsewhere, sizeof elsewhere, &len), DONJON_OK);
    CHECK(len == sizeof elsewhere);
    donjon_encryptor_free(encryptor);
    end_sealing();
}

/* Seals the file in pieces of `piece` bytes, with outputs that are at first too small. */
static size_t streamed(const donjon_sealer *sealer, size_t piece, uint32_t threads, uint8_t *out, size_t cap) {
    uint8_t prefix[DONJON_ENVELOPE_PREFIX_MAX];
    size_t len = 0, at = 0, made = 0;
    donjon_encryptor *encryptor = NULL;
    CHECK_STATUS(donjon_encryptor_new(sealer, BOUND, BOUND_LEN, NOW, threads, prefix, sizeof prefix, &len, &encryptor), DONJON_OK);
    memcpy(out, prefix, len);
    for (; at < FILE_LEN; at += piece) {
        size_t rest = FILE_LEN - at < piece ? FILE_LEN - at : piece, needed = 0;
        CHECK(donjon_stream_bound(rest) >= rest);
        int32_t status = donjon_encryptor_push(encryptor, file() + at, rest, NULL, 0, &needed);
        if (status == DONJON_BUFFER_TOO_SMALL) {
            CHECK(needed <= donjon_stream_bound(rest) && needed <= cap - len);
            status = donjon_encryptor_push(encryptor, file() + at, rest, out + len, needed, &made);
            CHECK(made == needed);
            len += made;
        }
        CHECK_STATUS(status, DONJON_OK);
    }
    CHECK_STATUS(donjon_encryptor_finish(encryptor, NULL, 0, &made), DONJON_BUFFER_TOO_SMALL);
    CHECK_STATUS(donjon_encryptor_finish(encryptor, out + len, made, &made), DONJON_OK);
    len += made;
    CHECK_STATUS(donjon_encryptor_finish(encryptor, out + len, cap - len, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_encryptor_push(encryptor, file(), 1, out + len, cap - len, &made), DONJON_INVALID_ARGUMENT);
    donjon_encryptor_free(encryptor);
    return len;
}

/* Opens it in pieces; what was released is `*out_len` bytes of `out`. */
static int32_t unstreamed(const donjon_sealer *sealer, const uint8_t *envelope, size_t envelope_len, size_t piece, uint8_t *out, size_t *out_len) {
    size_t consumed = 0, made = 0, prefix_len = envelope_len < DONJON_ENVELOPE_PREFIX_MAX ? envelope_len : DONJON_ENVELOPE_PREFIX_MAX;
    donjon_decryptor *decryptor = NULL;
    *out_len = 0;
    int32_t status = donjon_decryptor_new(sealer, BOUND, BOUND_LEN, NOW, 2, envelope, prefix_len, &consumed, &decryptor);
    for (size_t at = consumed; decryptor != NULL && status == DONJON_OK && at < envelope_len; at += piece) {
        size_t rest = envelope_len - at < piece ? envelope_len - at : piece;
        status = donjon_decryptor_push(decryptor, envelope + at, rest, out + *out_len, FILE_LEN - *out_len, &made);
        *out_len += status == DONJON_OK ? made : 0;
    }
    if (status == DONJON_OK) {
        status = donjon_decryptor_finish(decryptor, out + *out_len, FILE_LEN - *out_len, &made);
        *out_len += status == DONJON_OK ? made : 0;
    }
    if (decryptor != NULL) {
        /* An end is an end. */
        uint8_t more[64];
        int32_t after = status == DONJON_OK ? DONJON_INVALID_ARGUMENT : DONJON_DECRYPT_FAILED;
        CHECK_STATUS(donjon_decryptor_push(decryptor, envelope, 1, more, sizeof more, &made), after);
        CHECK_STATUS(donjon_decryptor_finish(decryptor, more, sizeof more, &made), after);
    }
    donjon_decryptor_free(decryptor);
    return status;
}

static void streams_in_any_pieces_are_the_same_envelope(void) {
    static uint8_t envelope[FILE_LEN + 512], out[FILE_LEN];
    static const size_t PIECES[] = {999, 16383, 16384, 16385, 40000, FILE_LEN};
    begin_sealing();
    donjon_sealer *all[] = {sealing.keyed, sealing.phrase, sealing.external, sealing.data_key};
    for (size_t s = 0; s < 4; s++) {
        for (size_t i = 0; i < sizeof PIECES / sizeof *PIECES; i++) {
            size_t len = 0, envelope_len = streamed(all[s], PIECES[i], (uint32_t)i + 1, envelope, sizeof envelope);
            CHECK_STATUS(opened(all[s], envelope, envelope_len, out, sizeof out, &len), DONJON_OK);
            CHECK(len == FILE_LEN && memcmp(out, file(), FILE_LEN) == 0);
            memset(out, 0, sizeof out);
            CHECK_STATUS(unstreamed(all[s], envelope, envelope_len, PIECES[i], out, &len), DONJON_OK);
            CHECK(len == FILE_LEN && memcmp(out, file(), FILE_LEN) == 0);
        }
    }
    /* A chunk that was changed: what came before it is released, and nothing else, ever. */
    size_t len = 0, envelope_len = streamed(sealing.external, 5000, 1, envelope, sizeof envelope);
    size_t second = envelope_len - FILE_LEN - 4 * 16 + DONJON_CHUNK_LEN + 16;
    envelope[second + 7] ^= 1;
    CHECK_STATUS(unstreamed(sealing.external, envelope, envelope_len, 999, out, &len), DONJON_DECRYPT_FAILED);
    CHECK(len == DONJON_CHUNK_LEN && memcmp(out, file(), len) == 0);
    envelope[second + 7] ^= 1;
    for (size_t cut = 0; cut < envelope_len; cut += cut < 200 ? 1 : 977) {
        CHECK_STATUS(unstreamed(sealing.external, envelope, cut, 5000, out, &len), DONJON_DECRYPT_FAILED);
        CHECK(len % DONJON_CHUNK_LEN == 0 && memcmp(out, file(), len) == 0);
    }
    CHECK_STATUS(unstreamed(sealing.external, envelope, second, 5000, out, &len), DONJON_DECRYPT_FAILED);

    donjon_encryptor *encryptor = NULL;
    donjon_decryptor *decryptor = NULL;
    static uint8_t prefix[DONJON_ENVELOPE_PREFIX_MAX];
    static const uint32_t THREADS_REFUSED[] = {0, 65, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        size_t consumed = 77;
        CHECK_STATUS(donjon_encryptor_new(sealing.external, NULL, 0, NOW, THREADS_REFUSED[i], prefix, sizeof prefix, &len, &encryptor), DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_decryptor_new(sealing.external, BOUND, BOUND_LEN, NOW, THREADS_REFUSED[i], envelope, 200, &consumed, &decryptor), DONJON_INVALID_ARGUMENT);
        CHECK(consumed == 77);
    }
    CHECK(encryptor == NULL && decryptor == NULL);
    end_sealing();
}

static void many_threads_make_the_bytes_of_one(void) {
    enum { LARGE = 3 * 1024 * 1024 + 5 };
    uint8_t *plaintext = calloc(1, LARGE), *envelope = malloc(donjon_stream_bound(LARGE) + DONJON_ENVELOPE_PREFIX_MAX), *out = malloc(LARGE);
    size_t len = 0, made = 0;
    begin_sealing();
    donjon_encryptor *encryptor = NULL;
    CHECK_STATUS(donjon_encryptor_new(sealing.external, BOUND, BOUND_LEN, NOW, 4, envelope, DONJON_ENVELOPE_PREFIX_MAX, &len, &encryptor), DONJON_OK);
    CHECK_STATUS(donjon_encryptor_push(encryptor, plaintext, LARGE, envelope + len, donjon_stream_bound(LARGE), &made), DONJON_OK);
    len += made;
    CHECK_STATUS(donjon_encryptor_finish(encryptor, envelope + len, donjon_stream_bound(0), &made), DONJON_OK);
    len += made;
    donjon_encryptor_free(encryptor);
    CHECK_STATUS(opened(sealing.external, envelope, len, out, LARGE, &made), DONJON_OK);
    CHECK(made == LARGE && memcmp(plaintext, out, LARGE) == 0);
    end_sealing();
    free(out);
    free(envelope);
    free(plaintext);
}

static void readers_read_any_range_of_what_is_whole(void) {
    static uint8_t envelope[FILE_LEN + 512], out[FILE_LEN];
    begin_sealing();
    size_t len = 0, envelope_len = sealed(sealing.external, file(), FILE_LEN, envelope, sizeof envelope);
    const uint8_t *tail = envelope + envelope_len - DONJON_READER_TAIL_MAX;
    donjon_reader *reader = NULL;
#define READER(prefix_len, tail, tail_len, total) donjon_reader_new(sealing.external, BOUND, BOUND_LEN, NOW, envelope, prefix_len, tail, tail_len, total, &reader)
    CHECK_STATUS(READER(DONJON_ENVELOPE_PREFIX_MAX, tail, DONJON_READER_TAIL_MAX, envelope_len), DONJON_OK);
    uint64_t size = 0, at = 0, span = 0;
    CHECK_STATUS(donjon_reader_len(reader, &size), DONJON_OK);
    CHECK(size == FILE_LEN);
    static const uint64_t EDGES[] = {0, 1, 16383, 16384, 16385, 32768, FILE_LEN - 1, FILE_LEN, FILE_LEN + 1, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof EDGES / sizeof *EDGES; i++) {
        for (size_t j = 0; j < sizeof EDGES / sizeof *EDGES; j++) {
            uint64_t start = EDGES[i] < FILE_LEN ? EDGES[i] : FILE_LEN, there = EDGES[j] < FILE_LEN - start ? EDGES[j] : FILE_LEN - start;
            CHECK_STATUS(donjon_reader_span(reader, EDGES[i], EDGES[j], &at, &span), DONJON_OK);
            CHECK(at + span <= envelope_len && (there > 0 || span == 0));
            CHECK_STATUS(donjon_reader_read(reader, EDGES[i], EDGES[j], envelope + at, (size_t)span, out, sizeof out, &len), DONJON_OK);
            CHECK(len == there && memcmp(out, file() + start, len) == 0);
            if (there > 0) {
                CHECK_STATUS(donjon_reader_read(reader, EDGES[i], EDGES[j], envelope + at, (size_t)span - 1, out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
                CHECK_STATUS(donjon_reader_read(reader, EDGES[i], EDGES[j], NULL, 0, out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
                memset(out, UNTOUCHED, sizeof out);
                CHECK_STATUS(donjon_reader_read(reader, EDGES[i], EDGES[j], envelope + at, (size_t)span, out, (size_t)there - 1, &len), DONJON_BUFFER_TOO_SMALL);
                CHECK(len == there && is_untouched(out, sizeof out));
                envelope[at + span - 1] ^= 1;
                CHECK_STATUS(donjon_reader_read(reader, EDGES[i], EDGES[j], envelope + at, (size_t)span, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
                envelope[at + span - 1] ^= 1;
            }
        }
    }
    /* The span's own bytes are no place to write to. */
    CHECK_STATUS(donjon_reader_span(reader, 0, 10, &at, &span), DONJON_OK);
    CHECK_STATUS(donjon_reader_read(reader, 0, 10, envelope + at, (size_t)span, envelope + at, 10, &len), DONJON_INVALID_ARGUMENT);
    donjon_reader_free(reader);
    reader = NULL;

    /* Lengths that do not fit, ends that are not the end. */
    CHECK_STATUS(READER(DONJON_ENVELOPE_PREFIX_MAX, tail, DONJON_READER_TAIL_MAX - 1, envelope_len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(READER(DONJON_ENVELOPE_PREFIX_MAX, NULL, 0, envelope_len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(READER(DONJON_ENVELOPE_PREFIX_MAX, NULL, 0, 0), DONJON_DECRYPT_FAILED);
    static const uint64_t TOTALS[] = {16399, 20000, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(READER(DONJON_ENVELOPE_PREFIX_MAX, tail, DONJON_READER_TAIL_MAX, TOTALS[i]), DONJON_DECRYPT_FAILED);
    }
    for (size_t cut = 1; cut < FILE_LEN; cut += cut < 40 ? 1 : 1009) {
        size_t total = envelope_len - cut, tail_len = total < DONJON_READER_TAIL_MAX ? total : DONJON_READER_TAIL_MAX;
        size_t prefix_len = total < DONJON_ENVELOPE_PREFIX_MAX ? total : DONJON_ENVELOPE_PREFIX_MAX;
        CHECK_STATUS(READER(prefix_len, envelope + total - tail_len, tail_len, total), DONJON_DECRYPT_FAILED);
    }
    CHECK_STATUS(READER(0, tail, DONJON_READER_TAIL_MAX, envelope_len), DONJON_DECRYPT_FAILED);
    CHECK(reader == NULL);
    end_sealing();
}

static void data_keys_are_stored_wrapped_and_move(void) {
    begin_sealing();
    static uint8_t wrapped[DONJON_ENVELOPE_PREFIX_MAX], moved[DONJON_ENVELOPE_PREFIX_MAX], cell[256], out[64];
    donjon_sealer *wrapping[] = {sealing.keyed, sealing.phrase, sealing.external};
    for (size_t from = 0; from < 3; from++) {
        donjon_sealer *key = NULL, *again = NULL;
        size_t len = 0, moved_len = 0, out_len = 0;
        CHECK_STATUS(donjon_data_key_new(wrapping[from], TEXT("acme"), NOW, wrapped, sizeof wrapped, &len, &key), DONJON_OK);
        size_t cell_len = sealed(key, TEXT("ann@example.com"), cell, sizeof cell);
        CHECK(cell_len == 96 + strlen("ann@example.com"));
        for (size_t to = 0; to < 3; to++) {
            CHECK_STATUS(donjon_data_key_rewrap(wrapping[from], wrapping[to], TEXT("acme"), NOW, wrapped, len, moved, sizeof moved, &moved_len), DONJON_OK);
            CHECK_STATUS(donjon_data_key_open(wrapping[to], TEXT("acme"), NOW, moved, moved_len, &again), DONJON_OK);
            CHECK_STATUS(opened(again, cell, cell_len, out, sizeof out, &out_len), DONJON_OK);
            donjon_sealer_free(again);
            again = NULL;
            CHECK_STATUS(donjon_data_key_open(wrapping[to], TEXT("globex"), NOW, moved, moved_len, &again), DONJON_DECRYPT_FAILED);
            CHECK_STATUS(donjon_data_key_open(wrapping[to], NULL, 0, NOW, moved, moved_len, &again), DONJON_DECRYPT_FAILED);
            CHECK_STATUS(donjon_data_key_open(wrapping[to], TEXT("acme"), NOW, moved, moved_len - 1, &again), DONJON_DECRYPT_FAILED);
        }
        /* A data key wraps nothing. */
        CHECK_STATUS(donjon_data_key_open(key, TEXT("acme"), NOW, wrapped, len, &again), DONJON_DECRYPT_FAILED);
        CHECK_STATUS(donjon_data_key_new(key, TEXT("acme"), NOW, moved, sizeof moved, &moved_len, &again), DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_data_key_rewrap(wrapping[from], key, TEXT("acme"), NOW, wrapped, len, moved, sizeof moved, &moved_len), DONJON_INVALID_ARGUMENT);
        CHECK(again == NULL);
        donjon_sealer_free(key);
    }
    end_sealing();
}

static void a_rewrap_gives_a_new_header(void) {
    begin_sealing();
    static uint8_t envelope[512], header[DONJON_ENVELOPE_PREFIX_MAX], whole[512], out[64];
    size_t envelope_len = sealed(sealing.keyed, file(), 40, envelope, sizeof envelope), old = 0, len = 0, out_len = 0;
    CHECK_STATUS(donjon_sealer_rewrap(sealing.keyed, sealing.keyed, NOW, envelope, envelope_len, &old, header, sizeof header, &len), DONJON_OK);
    CHECK(old == len && memcmp(envelope, header, len) != 0);
    memcpy(whole, header, len);
    memcpy(whole + len, envelope + old, envelope_len - old);
    CHECK_STATUS(opened(sealing.keyed, whole, envelope_len, out, sizeof out, &out_len), DONJON_OK);
    uint32_t needs = 7;
    CHECK_STATUS(donjon_sealer_needs_rewrap(sealing.keyed, whole, envelope_len, &needs), DONJON_OK);
    CHECK(needs == 0);
    needs = 7;
    CHECK_STATUS(donjon_sealer_needs_rewrap(sealing.external, whole, envelope_len, &needs), DONJON_DECRYPT_FAILED);
    CHECK_STATUS(donjon_sealer_needs_rewrap(sealing.data_key, NULL, 0, &needs), DONJON_DECRYPT_FAILED);
    CHECK(needs == 7);
    old = 77;
    CHECK_STATUS(donjon_sealer_rewrap(sealing.keyed, sealing.phrase, NOW, envelope, envelope_len, &old, header, sizeof header, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_rewrap(sealing.phrase, sealing.keyed, NOW, envelope, envelope_len, &old, header, sizeof header, &len), DONJON_DECRYPT_FAILED);
    CHECK(old == 77);
    donjon_keyring *disabled = NULL;
    donjon_sealer *sealer = NULL;
    CHECK_STATUS(donjon_keyring_set_status(sealing.keyring, TEXT("e1"), TEXT("disabled"), DONJON_NEVER, &disabled), DONJON_OK);
    CHECK_STATUS(donjon_sealer_new(disabled, &sealer), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_sealer_diagnose(disabled, header, sizeof header, &len), DONJON_OK);
    CHECK(len > 4 && memcmp(header, "{\"error\":\"config_error\"", 23) == 0);
    CHECK(sealer == NULL);
    donjon_keyring_free(disabled);
    end_sealing();
}

static void sources_of_keys_are_checked(void) {
    donjon_sealer *made = NULL;
    static uint8_t blob[6145], words[DONJON_PASSPHRASE_MAX + 1];
    memset(words, 'x', sizeof words);
    const uint8_t *name = (const uint8_t *)"kms\nkms\0\xff\xfe";
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 31, name, 3, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(NULL, 0, name, 3, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, name, 0, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, name, 4, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, name + 4, 4, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, name + 8, 2, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, words, 129, blob, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, name, 3, NULL, 0, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_external(DATA_KEY, 32, name, 3, blob, sizeof blob, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_passphrase(NULL, 0, 8, 1, 1, &made), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_sealer_from_passphrase(words, sizeof words, 8, 1, 1, &made), DONJON_TOO_LARGE);
    static const uint32_t COSTS[][3] = {{7, 1, 1}, {8, 0, 1}, {8, 1, 0}, {0, 1, 1}, {8, 17, 1}, {1024, 1, 17}, {1048577, 1, 1}, {1048576, 5, 1}, {UINT32_MAX, UINT32_MAX, UINT32_MAX}};
    for (size_t i = 0; i < sizeof COSTS / sizeof *COSTS; i++) {
        CHECK_STATUS(donjon_sealer_from_passphrase(words, 8, COSTS[i][0], COSTS[i][1], COSTS[i][2], &made), DONJON_PARAMS_OUT_OF_BOUNDS);
    }
    CHECK(made == NULL);
    /* The defaults cost nothing until something is sealed. */
    CHECK_STATUS(donjon_sealer_from_passphrase(words, DONJON_PASSPHRASE_MAX, 0, 0, 0, &made), DONJON_OK);
    size_t len = 9;
    CHECK_STATUS(donjon_sealer_key_id(made, NULL, 0, &len), DONJON_OK);
    CHECK(len == 0);
    donjon_sealer_free(made);
    uint8_t one[32], two[32];
    CHECK_STATUS(donjon_external_key_generate(one, sizeof one, &len), DONJON_OK);
    CHECK_STATUS(donjon_external_key_generate(two, sizeof two, &len), DONJON_OK);
    CHECK(len == 32 && memcmp(one, two, 32) != 0);
}

static void columns_are_indexed_and_settings_sealed(void) {
    begin_sealing();
    donjon_blind_index *index = NULL;
    static uint8_t value[64], candidates[256], text_out[1024], opened_out[1024];
    size_t len = 0, all = 0, text_len = 0;
#define INDEX(bits) donjon_blind_index_new(sealing.keyring, TEXT("acme"), TEXT("users"), TEXT("email"), bits, &index)
    static const uint32_t BITS_REFUSED[] = {0, 7, 257, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(INDEX(BITS_REFUSED[i]), DONJON_INVALID_ARGUMENT);
    }
    CHECK(index == NULL);
    CHECK_STATUS(INDEX(20), DONJON_OK);
#define VALUE(out, cap, len) donjon_blind_index_value(index, NOW, TEXT("ann"), out, cap, len)
#define CANDIDATES(out, cap, len) donjon_blind_index_candidates(index, NOW, TEXT("ann"), out, cap, len)
#define INDEX_DIAGNOSE(out, cap, len) donjon_blind_index_diagnose(sealing.keyring, NULL, 0, TEXT("t"), TEXT("c"), 32, out, cap, len)
    CHECK_BUFFER(VALUE, 4);
    CHECK_BUFFER(CANDIDATES, 4);
    CHECK_BUFFER(INDEX_DIAGNOSE, 4);
    CHECK_STATUS(VALUE(value, sizeof value, &len), DONJON_OK);
    CHECK_STATUS(CANDIDATES(candidates, sizeof candidates, &all), DONJON_OK);
    CHECK(len == 4 && all == 4 && memcmp(value, candidates, 4) == 0 && value[0] == 1 && (value[3] & 0x0f) == 0);
    CHECK_STATUS(donjon_blind_index_value(index, -1, TEXT("ann"), value, sizeof value, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_blind_index_value(index, NOW, NULL, 0, value, sizeof value, &len), DONJON_OK);
    donjon_blind_index_free(index);

#define SETTING_SEAL(out, cap, len) donjon_setting_seal(sealing.keyring, TEXT("DB"), TEXT("hunter2"), NOW, out, cap, len)
#define SETTING_OPEN(out, cap, len) donjon_setting_open(sealing.keyring, TEXT("DB"), text_out, text_len, NOW, out, cap, len)
    CHECK_BUFFER(SETTING_SEAL, 0);
    CHECK_STATUS(SETTING_SEAL(text_out, sizeof text_out, &text_len), DONJON_OK);
    CHECK(memcmp(text_out, "sealed:", 7) == 0);
    CHECK_BUFFER(SETTING_OPEN, strlen("hunter2"));
    CHECK_STATUS(SETTING_OPEN(opened_out, sizeof opened_out, &len), DONJON_OK);
    CHECK(len == 7 && memcmp(opened_out, "hunter2", 7) == 0);
    CHECK_STATUS(donjon_setting_open(sealing.keyring, TEXT("REDIS"), text_out, text_len, NOW, opened_out, sizeof opened_out, &len), DONJON_DECRYPT_FAILED);
    CHECK_STATUS(donjon_setting_open(sealing.keyring, TEXT("DB"), TEXT("hunter2"), NOW, opened_out, sizeof opened_out, &len), DONJON_MALFORMED);
    CHECK_STATUS(donjon_setting_open(sealing.keyring, TEXT("DB"), NULL, 0, NOW, opened_out, sizeof opened_out, &len), DONJON_MALFORMED);

#define ERASURE(out, cap, len) donjon_erasure(sealing.keyring, TEXT("[\"e1\"]"), DONJON_NEVER, NOW, out, cap, len)
    CHECK_BUFFER(ERASURE, 0);
    static const char *const BAD_IDS[] = {"", "[]", "{}", "[1]", "\"e1\"", "[\"e1\"", "null"};
    for (size_t i = 0; i < sizeof BAD_IDS / sizeof *BAD_IDS; i++) {
        int32_t status = donjon_erasure(sealing.keyring, TEXT(BAD_IDS[i]), DONJON_NEVER, NOW, text_out, sizeof text_out, &len);
        CHECK(status == DONJON_INVALID_ARGUMENT || status == DONJON_MALFORMED);
    }
    CHECK_STATUS(donjon_erasure(sealing.keyring, TEXT("[\"nobody\"]"), DONJON_NEVER, NOW, text_out, sizeof text_out, &len), DONJON_UNKNOWN_KEY);
    CHECK_STATUS(donjon_erasure(sealing.keyring, TEXT("[\"e1\"]"), -1, NOW, text_out, sizeof text_out, &len), DONJON_INVALID_ARGUMENT);
    end_sealing();
}

static void what_others_encrypted_is_read(void) {
    static const char KEY[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    static const char TOKEN[] = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    static uint8_t out[256], key[DONJON_FERNET_KEY_LEN], token[256];
    size_t len = 0, token_len = 0;
    int64_t made = 0;
    donjon_fernet *fernet = NULL;
    CHECK_STATUS(donjon_fernet_new(NULL, 0, &fernet), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_fernet_new(TEXT("short"), &fernet), DONJON_CONFIG_ERROR);
    CHECK(fernet == NULL);
    CHECK_STATUS(donjon_fernet_new(TEXT(KEY), &fernet), DONJON_OK);
    CHECK_STATUS(donjon_fernet_decrypt(fernet, 499162801, 60, TEXT(TOKEN), out, sizeof out, &len), DONJON_OK);
    CHECK(len == 5 && memcmp(out, "hello", 5) == 0);
    CHECK_STATUS(donjon_fernet_timestamp(fernet, TEXT(TOKEN), &made), DONJON_OK);
    CHECK(made == 499162800);
    made = 7;
    CHECK_STATUS(donjon_fernet_timestamp(fernet, TEXT("gAAAA"), &made), DONJON_DECRYPT_FAILED);
    CHECK(made == 7);
    CHECK_STATUS(donjon_fernet_decrypt(fernet, NOW, 60, TEXT(TOKEN), out, sizeof out, &len), DONJON_DECRYPT_FAILED);
    CHECK_STATUS(donjon_fernet_decrypt(fernet, NOW, DONJON_NO_TTL, TEXT(TOKEN), out, sizeof out, &len), DONJON_OK);
    CHECK_STATUS(donjon_fernet_decrypt(fernet, NOW, -2, TEXT(TOKEN), out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_fernet_decrypt(fernet, -1, DONJON_NO_TTL, TEXT(TOKEN), out, sizeof out, &len), DONJON_INVALID_ARGUMENT);
#define ENCRYPT(out, cap, len) donjon_fernet_encrypt(fernet, NOW, TEXT("hello"), out, cap, len)
#define ROTATE(out, cap, len) donjon_fernet_rotate(fernet, TEXT(TOKEN), out, cap, len)
#define GENERATE(out, cap, len) donjon_fernet_generate_key(out, cap, len)
#define DERIVE(out, cap, len) donjon_fernet_derive_key(TEXT("password"), TEXT("salt"), 2, out, cap, len)
    CHECK_BUFFER(ENCRYPT, donjon_fernet_token_len(5));
    CHECK_BUFFER(ROTATE, strlen(TOKEN));
    CHECK_BUFFER(GENERATE, DONJON_FERNET_KEY_LEN);
    CHECK_BUFFER(DERIVE, DONJON_FERNET_KEY_LEN);
    CHECK(donjon_fernet_token_len(SIZE_MAX) == SIZE_MAX);
    CHECK_STATUS(ENCRYPT(token, sizeof token, &token_len), DONJON_OK);
    /* Every letter of a token counts, and its length is never read past. */
    for (size_t i = 0; i < token_len; i++) {
        uint8_t *cut = malloc(i + 1);
        memcpy(cut, token, i + 1);
        cut[i] = cut[i] == 'A' ? 'B' : 'A';
        CHECK_STATUS(donjon_fernet_decrypt(fernet, NOW, DONJON_NO_TTL, cut, i + 1, out, sizeof out, &len), DONJON_DECRYPT_FAILED);
        free(cut);
    }
    CHECK_STATUS(donjon_fernet_derive_key(TEXT("password"), TEXT("salt"), 0, key, sizeof key, &len), DONJON_PARAMS_OUT_OF_BOUNDS);
    CHECK_STATUS(donjon_fernet_derive_key(TEXT("password"), TEXT("salt"), UINT32_MAX, key, sizeof key, &len), DONJON_PARAMS_OUT_OF_BOUNDS);
    donjon_fernet_free(fernet);
    for (uint32_t padding = 0; padding < 6; padding++) {
        CHECK_STATUS(donjon_aes_engine_open(TEXT("secret"), padding, TEXT("AAAAAAAAAAAAAAAAAAAAAA=="), out, sizeof out, &len), padding < 4 ? DONJON_DECRYPT_FAILED : DONJON_INVALID_ARGUMENT);
        CHECK_STATUS(donjon_aes_engine_open(NULL, 0, padding, NULL, 0, out, sizeof out, &len), padding < 4 ? DONJON_DECRYPT_FAILED : DONJON_INVALID_ARGUMENT);
    }
}

static void hostile_callers_of_envelopes_are_refused(void) {
    begin_sealing();
    static uint8_t out[DONJON_ENVELOPE_PREFIX_MAX + 64], envelope[512];
    const uint8_t *some = (const uint8_t *)"x";
    size_t len = 0, old = 0, consumed = 0, envelope_len = sealed(sealing.keyed, file(), 40, envelope, sizeof envelope);
    uint32_t needs = 0;
    uint64_t number = 0;
    int64_t seconds_made = 0;
    donjon_sealer *made = NULL;
    donjon_encryptor *encryptor = NULL, *no_encryptor = NULL;
    donjon_decryptor *decryptor = NULL, *no_decryptor = NULL;
    donjon_reader *reader = NULL, *no_reader = NULL;
    donjon_blind_index *index = NULL, *no_index = NULL;
    donjon_fernet *fernet = NULL, *no_fernet = NULL;
    const donjon_sealer *keyed = sealing.keyed;
    CHECK_STATUS(donjon_encryptor_new(keyed, NULL, 0, NOW, 1, out, sizeof out, &len, &encryptor), DONJON_OK);
    CHECK_STATUS(donjon_decryptor_new(keyed, BOUND, BOUND_LEN, NOW, 1, envelope, envelope_len, &consumed, &decryptor), DONJON_OK);
    CHECK_STATUS(donjon_reader_new(keyed, BOUND, BOUND_LEN, NOW, envelope, envelope_len, envelope, envelope_len, envelope_len, &reader), DONJON_OK);
    CHECK_STATUS(donjon_blind_index_new(sealing.keyring, NULL, 0, TEXT("t"), TEXT("c"), 8, &index), DONJON_OK);
    CHECK_STATUS(donjon_fernet_new(TEXT("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="), &fernet), DONJON_OK);
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *b = BAD[i].bytes;
        size_t n = BAD[i].len;
        REFUSED(donjon_context_append(b, n, some, 1, out, sizeof out, &len));
        REFUSED(donjon_context_append(NULL, 0, b, n, out, sizeof out, &len));
        REFUSED(donjon_chunked_seal(b, n, some, 1, some, 1, out, sizeof out, &len));
        REFUSED(donjon_chunked_seal(DATA_KEY, 32, b, n, some, 1, out, sizeof out, &len));
        REFUSED(donjon_chunked_seal(DATA_KEY, 32, some, 1, b, n, out, sizeof out, &len));
        REFUSED(donjon_chunked_open(b, n, some, 1, some, 1, out, sizeof out, &len));
        REFUSED(donjon_chunked_open(DATA_KEY, 32, b, n, some, 1, out, sizeof out, &len));
        REFUSED(donjon_chunked_open(DATA_KEY, 32, some, 1, b, n, out, sizeof out, &len));
        REFUSED(donjon_sealer_from_passphrase(b, n, 8, 1, 1, &made));
        REFUSED(donjon_sealer_from_external(b, n, some, 1, some, 1, &made));
        REFUSED(donjon_sealer_from_external(DATA_KEY, 32, b, n, some, 1, &made));
        REFUSED(donjon_sealer_from_external(DATA_KEY, 32, some, 1, b, n, &made));
        REFUSED(donjon_sealer_seal(keyed, b, n, NOW, some, 1, out, sizeof out, &len));
        REFUSED(donjon_sealer_seal(keyed, NULL, 0, NOW, b, n, out, sizeof out, &len));
        REFUSED(donjon_sealer_open(keyed, b, n, NOW, envelope, envelope_len, out, sizeof out, &len));
        REFUSED(donjon_sealer_open(keyed, NULL, 0, NOW, b, n, out, sizeof out, &len));
        REFUSED(donjon_sealer_needs_rewrap(keyed, b, n, &needs));
        REFUSED(donjon_sealer_rewrap(keyed, keyed, NOW, b, n, &old, out, sizeof out, &len));
        REFUSED(donjon_envelope_inspect(b, n, out, sizeof out, &len));
        REFUSED(donjon_data_key_new(keyed, b, n, NOW, out, sizeof out, &len, &made));
        REFUSED(donjon_data_key_open(keyed, b, n, NOW, some, 1, &made));
        REFUSED(donjon_data_key_open(keyed, some, 1, NOW, b, n, &made));
        REFUSED(donjon_data_key_rewrap(keyed, keyed, b, n, NOW, some, 1, out, sizeof out, &len));
        REFUSED(donjon_data_key_rewrap(keyed, keyed, some, 1, NOW, b, n, out, sizeof out, &len));
        REFUSED(donjon_encryptor_new(keyed, b, n, NOW, 1, out, sizeof out, &len, &no_encryptor));
        REFUSED(donjon_encryptor_push(encryptor, b, n, out, sizeof out, &len));
        REFUSED(donjon_decryptor_new(keyed, b, n, NOW, 1, envelope, envelope_len, &consumed, &no_decryptor));
        REFUSED(donjon_decryptor_new(keyed, NULL, 0, NOW, 1, b, n, &consumed, &no_decryptor));
        REFUSED(donjon_decryptor_push(decryptor, b, n, out, sizeof out, &len));
        REFUSED(donjon_reader_new(keyed, b, n, NOW, envelope, envelope_len, envelope, envelope_len, envelope_len, &no_reader));
        REFUSED(donjon_reader_new(keyed, NULL, 0, NOW, b, n, envelope, envelope_len, envelope_len, &no_reader));
        REFUSED(donjon_reader_new(keyed, NULL, 0, NOW, envelope, envelope_len, b, n, envelope_len, &no_reader));
        REFUSED(donjon_reader_read(reader, 0, 1, b, n, out, sizeof out, &len));
        REFUSED(donjon_blind_index_new(sealing.keyring, b, n, some, 1, some, 1, 8, &no_index));
        REFUSED(donjon_blind_index_new(sealing.keyring, some, 1, b, n, some, 1, 8, &no_index));
        REFUSED(donjon_blind_index_new(sealing.keyring, some, 1, some, 1, b, n, 8, &no_index));
        REFUSED(donjon_blind_index_value(index, NOW, b, n, out, sizeof out, &len));
        REFUSED(donjon_blind_index_candidates(index, NOW, b, n, out, sizeof out, &len));
        REFUSED(donjon_setting_seal(sealing.keyring, b, n, some, 1, NOW, out, sizeof out, &len));
        REFUSED(donjon_setting_seal(sealing.keyring, some, 1, b, n, NOW, out, sizeof out, &len));
        REFUSED(donjon_setting_open(sealing.keyring, b, n, some, 1, NOW, out, sizeof out, &len));
        REFUSED(donjon_setting_open(sealing.keyring, some, 1, b, n, NOW, out, sizeof out, &len));
        REFUSED(donjon_erasure(sealing.keyring, b, n, DONJON_NEVER, NOW, out, sizeof out, &len));
        REFUSED(donjon_fernet_new(b, n, &no_fernet));
        REFUSED(donjon_fernet_encrypt(fernet, NOW, b, n, out, sizeof out, &len));
        REFUSED(donjon_fernet_decrypt(fernet, NOW, 1, b, n, out, sizeof out, &len));
        REFUSED(donjon_fernet_rotate(fernet, b, n, out, sizeof out, &len));
        REFUSED(donjon_fernet_timestamp(fernet, b, n, &seconds_made));
        REFUSED(donjon_fernet_derive_key(b, n, some, 1, 1, out, sizeof out, &len));
        REFUSED(donjon_fernet_derive_key(some, 1, b, n, 1, out, sizeof out, &len));
        REFUSED(donjon_aes_engine_open(b, n, 0, some, 1, out, sizeof out, &len));
        REFUSED(donjon_aes_engine_open(some, 1, 0, b, n, out, sizeof out, &len));
    }
    /* Capacities over half the memory, outputs and handles that are NULL. */
    REFUSED(donjon_sealer_seal(keyed, NULL, 0, NOW, some, 1, out, BIG, &len));
    REFUSED(donjon_sealer_seal(keyed, NULL, 0, NOW, some, 1, NULL, 512, &len));
    REFUSED(donjon_sealer_seal(keyed, NULL, 0, NOW, some, 1, out, sizeof out, NULL));
    REFUSED(donjon_sealer_open(keyed, BOUND, BOUND_LEN, NOW, envelope, envelope_len, out, SIZE_MAX, &len));
    REFUSED(donjon_sealer_open(keyed, BOUND, BOUND_LEN, NOW, envelope, envelope_len, out, sizeof out, NULL));
    REFUSED(donjon_sealer_seal(keyed, NULL, 0, -1, some, 1, out, sizeof out, &len));
    REFUSED(donjon_sealer_open(keyed, BOUND, BOUND_LEN, INT64_MIN, envelope, envelope_len, out, sizeof out, &len));
    REFUSED(donjon_sealer_new(NULL, &made));
    REFUSED(donjon_sealer_new(sealing.keyring, NULL));
    REFUSED(donjon_sealer_diagnose(NULL, out, sizeof out, &len));
    REFUSED(donjon_sealer_from_passphrase(some, 1, 8, 1, 1, NULL));
    REFUSED(donjon_sealer_from_external(DATA_KEY, 32, some, 1, some, 1, NULL));
    REFUSED(donjon_sealer_key_id(NULL, out, sizeof out, &len));
    REFUSED(donjon_sealer_sealed_len(NULL, 1, &len));
    REFUSED(donjon_sealer_sealed_len(keyed, 1, NULL));
    REFUSED(donjon_sealer_seal(NULL, NULL, 0, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_sealer_open(NULL, NULL, 0, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_sealer_needs_rewrap(NULL, some, 1, &needs));
    REFUSED(donjon_sealer_needs_rewrap(keyed, envelope, envelope_len, NULL));
    REFUSED(donjon_sealer_rewrap(NULL, keyed, NOW, envelope, envelope_len, &old, out, sizeof out, &len));
    REFUSED(donjon_sealer_rewrap(keyed, NULL, NOW, envelope, envelope_len, &old, out, sizeof out, &len));
    REFUSED(donjon_sealer_rewrap(keyed, keyed, NOW, envelope, envelope_len, NULL, out, sizeof out, &len));
    REFUSED(donjon_data_key_new(NULL, some, 1, NOW, out, sizeof out, &len, &made));
    REFUSED(donjon_data_key_new(keyed, some, 1, NOW, out, sizeof out, &len, NULL));
    REFUSED(donjon_data_key_open(NULL, some, 1, NOW, some, 1, &made));
    REFUSED(donjon_data_key_open(keyed, some, 1, NOW, some, 1, NULL));
    REFUSED(donjon_data_key_rewrap(NULL, keyed, some, 1, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_data_key_rewrap(keyed, NULL, some, 1, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_encryptor_new(NULL, NULL, 0, NOW, 1, out, sizeof out, &len, &no_encryptor));
    REFUSED(donjon_encryptor_new(keyed, NULL, 0, NOW, 1, out, sizeof out, &len, NULL));
    REFUSED(donjon_encryptor_push(NULL, some, 1, out, sizeof out, &len));
    REFUSED(donjon_encryptor_push(encryptor, some, 1, out, sizeof out, NULL));
    REFUSED(donjon_encryptor_finish(NULL, out, sizeof out, &len));
    REFUSED(donjon_encryptor_finish(encryptor, NULL, 64, &len));
    REFUSED(donjon_decryptor_new(NULL, NULL, 0, NOW, 1, envelope, envelope_len, &consumed, &no_decryptor));
    REFUSED(donjon_decryptor_new(keyed, BOUND, BOUND_LEN, NOW, 1, envelope, envelope_len, NULL, &no_decryptor));
    REFUSED(donjon_decryptor_new(keyed, BOUND, BOUND_LEN, NOW, 1, envelope, envelope_len, &consumed, NULL));
    REFUSED(donjon_decryptor_push(NULL, some, 1, out, sizeof out, &len));
    REFUSED(donjon_decryptor_finish(NULL, out, sizeof out, &len));
    REFUSED(donjon_decryptor_finish(decryptor, out, sizeof out, NULL));
    REFUSED(donjon_reader_new(NULL, BOUND, BOUND_LEN, NOW, envelope, envelope_len, envelope, envelope_len, envelope_len, &no_reader));
    REFUSED(donjon_reader_new(keyed, BOUND, BOUND_LEN, NOW, envelope, envelope_len, envelope, envelope_len, envelope_len, NULL));
    REFUSED(donjon_reader_len(NULL, &number));
    REFUSED(donjon_reader_len(reader, NULL));
    REFUSED(donjon_reader_span(NULL, 0, 1, &number, &number));
    REFUSED(donjon_reader_span(reader, 0, 1, NULL, &number));
    REFUSED(donjon_reader_span(reader, 0, 1, &number, NULL));
    REFUSED(donjon_reader_read(NULL, 0, 1, some, 1, out, sizeof out, &len));
    REFUSED(donjon_blind_index_new(NULL, some, 1, some, 1, some, 1, 8, &no_index));
    REFUSED(donjon_blind_index_new(sealing.keyring, some, 1, some, 1, some, 1, 8, NULL));
    REFUSED(donjon_blind_index_value(NULL, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_blind_index_candidates(NULL, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_setting_seal(NULL, some, 1, some, 1, NOW, out, sizeof out, &len));
    REFUSED(donjon_setting_open(NULL, some, 1, some, 1, NOW, out, sizeof out, &len));
    REFUSED(donjon_erasure(NULL, TEXT("[\"e1\"]"), DONJON_NEVER, NOW, out, sizeof out, &len));
    REFUSED(donjon_fernet_new(some, 1, NULL));
    REFUSED(donjon_fernet_encrypt(NULL, NOW, some, 1, out, sizeof out, &len));
    REFUSED(donjon_fernet_decrypt(NULL, NOW, 1, some, 1, out, sizeof out, &len));
    REFUSED(donjon_fernet_rotate(NULL, some, 1, out, sizeof out, &len));
    REFUSED(donjon_fernet_timestamp(NULL, some, 1, &seconds_made));
    REFUSED(donjon_fernet_timestamp(fernet, some, 1, NULL));
    REFUSED(donjon_external_key_generate(out, sizeof out, NULL));
    CHECK(made == NULL && no_encryptor == NULL && no_decryptor == NULL && no_reader == NULL && no_index == NULL && no_fernet == NULL);
    /* Streams went on through all of that. */
    CHECK_STATUS(donjon_decryptor_push(decryptor, envelope + consumed, envelope_len - consumed, out, sizeof out, &len), DONJON_OK);
    CHECK_STATUS(donjon_decryptor_finish(decryptor, out, sizeof out, &len), DONJON_OK);
    CHECK(len == 40 && memcmp(out, file(), 40) == 0);
    donjon_fernet_free(fernet);
    donjon_blind_index_free(index);
    donjon_encryptor_free(encryptor);
    donjon_decryptor_free(decryptor);
    donjon_reader_free(reader);
    donjon_sealer_free(NULL);
    donjon_encryptor_free(NULL);
    donjon_decryptor_free(NULL);
    donjon_reader_free(NULL);
    donjon_blind_index_free(NULL);
    donjon_fernet_free(NULL);
    end_sealing();
}

static void streams_and_readers_outlive_what_they_were_made_from(void) {
    static uint8_t prefix[DONJON_ENVELOPE_PREFIX_MAX], envelope[512], out[128], stored[DONJON_ENVELOPE_PREFIX_MAX];
    size_t len = 0, made = 0, consumed = 0, envelope_len = 0;
    donjon_encryptor *encryptor = NULL;
    donjon_decryptor *decryptor = NULL;
    donjon_reader *reader = NULL;
    donjon_sealer *data_key = NULL;
    begin_sealing();
    CHECK_STATUS(donjon_data_key_new(sealing.keyed, TEXT("acme"), NOW, stored, sizeof stored, &len, &data_key), DONJON_OK);
    envelope_len = sealed(data_key, file(), 40, envelope, sizeof envelope);
    CHECK_STATUS(donjon_encryptor_new(sealing.keyed, NULL, 0, NOW, 1, prefix, sizeof prefix, &len, &encryptor), DONJON_OK);
    end_sealing();
    CHECK_STATUS(donjon_decryptor_new(data_key, BOUND, BOUND_LEN, NOW, 1, envelope, envelope_len, &consumed, &decryptor), DONJON_OK);
    CHECK_STATUS(donjon_reader_new(data_key, BOUND, BOUND_LEN, NOW, envelope, envelope_len, envelope, envelope_len, envelope_len, &reader), DONJON_OK);
    donjon_sealer_free(data_key);
    CHECK_STATUS(donjon_encryptor_push(encryptor, file(), 40, out, sizeof out, &made), DONJON_OK);
    CHECK_STATUS(donjon_encryptor_finish(encryptor, out, sizeof out, &made), DONJON_OK);
    CHECK(made == 56);
    CHECK_STATUS(donjon_decryptor_push(decryptor, envelope + consumed, envelope_len - consumed, out, sizeof out, &made), DONJON_OK);
    CHECK_STATUS(donjon_decryptor_finish(decryptor, out, sizeof out, &made), DONJON_OK);
    CHECK(made == 40 && memcmp(out, file(), 40) == 0);
    uint64_t at = 0, span = 0;
    CHECK_STATUS(donjon_reader_span(reader, 5, 10, &at, &span), DONJON_OK);
    CHECK_STATUS(donjon_reader_read(reader, 5, 10, envelope + at, (size_t)span, out, sizeof out, &made), DONJON_OK);
    CHECK(made == 10 && memcmp(out, file() + 5, 10) == 0);
    donjon_reader_free(reader);
    donjon_decryptor_free(decryptor);
    donjon_encryptor_free(encryptor);
}

static struct {
    donjon_sealer *sealer;
    donjon_encryptor *encryptor;
} sealers;

static void *seals_and_opens(void *failures) {
    uint8_t envelope[512], out[64];
    for (int i = 0; i < ROUNDS; i++) {
        size_t len = 0, out_len = 0;
        int32_t made = donjon_sealer_seal(sealers.sealer, BOUND, BOUND_LEN, NOW, file(), 40, envelope, sizeof envelope, &len);
        int32_t held = opened(sealers.sealer, envelope, len, out, sizeof out, &out_len);
        envelope[len / 2] ^= 1;
        int32_t forged = opened(sealers.sealer, envelope, len, out, sizeof out, &out_len);
        /* One stream from many threads: pieces in any order, none lost. */
        uint8_t chunk[DONJON_CHUNK_LEN + 16];
        int32_t pushed = donjon_encryptor_push(sealers.encryptor, file(), 100, chunk, sizeof chunk, &out_len);
        if (made != DONJON_OK || held != DONJON_OK || forged == DONJON_OK || pushed != DONJON_OK) {
            ++*(int *)failures;
        }
    }
    return NULL;
}

static void threads_share_sealers_and_streams(void) {
    static uint8_t prefix[DONJON_ENVELOPE_PREFIX_MAX], last[DONJON_CHUNK_LEN + 16];
    size_t len = 0;
    begin_sealing();
    file();
    sealers.sealer = sealing.keyed;
    CHECK_STATUS(donjon_encryptor_new(sealing.external, NULL, 0, NOW, 1, prefix, sizeof prefix, &len, &sealers.encryptor), DONJON_OK);
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, seals_and_opens, &failures[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    CHECK_STATUS(donjon_encryptor_finish(sealers.encryptor, last, sizeof last, &len), DONJON_OK);
    CHECK(len == 16 + THREADS * ROUNDS * 100 % DONJON_CHUNK_LEN);
    donjon_encryptor_free(sealers.encryptor);
    end_sealing();
}

static void run_envelopes(void) {
    RUN(envelopes_open_in_their_place_and_nowhere_else);
    RUN(contexts_are_appended_in_place_and_bounded);
    RUN(buffers_of_envelopes_are_exact_and_probing_draws_nothing);
    RUN(an_output_that_is_an_input_is_refused);
    RUN(streams_in_any_pieces_are_the_same_envelope);
    RUN(many_threads_make_the_bytes_of_one);
    RUN(readers_read_any_range_of_what_is_whole);
    RUN(data_keys_are_stored_wrapped_and_move);
    RUN(a_rewrap_gives_a_new_header);
    RUN(sources_of_keys_are_checked);
    RUN(columns_are_indexed_and_settings_sealed);
    RUN(what_others_encrypted_is_read);
    RUN(hostile_callers_of_envelopes_are_refused);
    RUN(streams_and_readers_outlive_what_they_were_made_from);
    RUN(threads_share_sealers_and_streams);
}
