/* The C ABI, function by function, and its contract: what NULL, lengths, small buffers, integers out of range and
 * threads get. Built as C11; the header is also compiled as C++ (header.cpp). */

#include <pthread.h>
#include <stdlib.h>

#include <donjon.h>

#include "harness.h"

#define NOW INT64_C(1700000000)
#define BIG (SIZE_MAX / 2 + 1) /* over isize::MAX */
#define UNTOUCHED 0xA5

static const char SPEC[] = "{\"token\":\"EdDSA\",\"state-binding\":\"HS256\"}";
static const char ISSUER_CONFIG[] = "{\"issuer\":\"https://issuer.example\",\"audience\":\"api\"}";
static const char VERIFIER_CONFIG[] =
    "{\"issuer\":\"https://issuer.example\",\"audience\":\"api\",\"type\":\"at+jwt\",\"algorithms\":[\"EdDSA\"]}";
static const char REFRESH_CONFIG[] =
    "{\"issuer\":\"https://issuer.example\",\"audience\":\"api\",\"type\":\"rt+jwt\",\"algorithms\":[\"EdDSA\"]}";
static const char MASTER[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

static donjon_keyring *new_keyring(void) {
    donjon_keyring *keyring = NULL;
    CHECK_STATUS(donjon_keyring_generate(TEXT(SPEC), NOW, &keyring), DONJON_OK);
    CHECK(keyring != NULL);
    return keyring;
}

static donjon_issuer *new_issuer(const donjon_keyring *keyring) {
    donjon_issuer *issuer = NULL;
    CHECK_STATUS(donjon_issuer_new(keyring, TEXT(ISSUER_CONFIG), &issuer), DONJON_OK);
    return issuer;
}

static donjon_verifier *new_verifier(const donjon_keyring *keyring, const char *config) {
    donjon_verifier *verifier = NULL;
    CHECK_STATUS(donjon_verifier_new(keyring, TEXT(config), &verifier), DONJON_OK);
    return verifier;
}

static size_t access_token(const donjon_issuer *issuer, const char *claims, uint8_t *out, size_t cap) {
    size_t len = 0;
    CHECK_STATUS(donjon_issuer_access(issuer, TEXT("ann"), TEXT(claims), 0, DONJON_NEVER, NOW, out, cap, &len), DONJON_OK);
    return len;
}

static int span_is(const uint8_t *buffer, donjon_span span, const char *text) {
    return span.offset != DONJON_ABSENT && span.length == strlen(text) && memcmp(buffer + span.offset, text, span.length) == 0;
}

static int is_untouched(const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != UNTOUCHED) {
            return 0;
        }
    }
    return 1;
}

/* ---- statuses, versions, layouts ---- */

static void the_version_is_this_header_s(void) {
    CHECK(donjon_abi_version() == DONJON_ABI_VERSION);
    CHECK(strcmp(donjon_version(), "0.1.0") == 0);
}

static void every_status_has_its_pinned_name(void) {
    static const struct {
        int32_t status;
        const char *name;
    } TABLE[] = {
        {DONJON_OK, "ok"}, {DONJON_INVALID_ARGUMENT, "invalid_argument"}, {DONJON_BUFFER_TOO_SMALL, "buffer_too_small"},
        {DONJON_OUT_OF_MEMORY, "out_of_memory"}, {DONJON_INTERNAL_ERROR, "internal_error"},
        {DONJON_ENTROPY_UNAVAILABLE, "entropy_unavailable"}, {DONJON_CONFIG_ERROR, "config_error"},
        {DONJON_MALFORMED, "malformed"}, {DONJON_TOO_LARGE, "too_large"}, {DONJON_UNSUPPORTED, "unsupported"},
        {DONJON_UNKNOWN_KEY, "unknown_key"}, {DONJON_KEY_DISABLED, "key_disabled"}, {DONJON_KEY_DESTROYED, "key_destroyed"},
        {DONJON_KEY_EXPIRED, "key_expired"}, {DONJON_ALG_NOT_ALLOWED, "alg_not_allowed"},
        {DONJON_BAD_SIGNATURE, "bad_signature"}, {DONJON_UNSUPPORTED_CRITICAL, "unsupported_critical"},
        {DONJON_BAD_CLAIM_TYPE, "bad_claim_type"}, {DONJON_MISSING_CLAIM, "missing_claim"}, {DONJON_EXPIRED, "expired"},
        {DONJON_NOT_YET_VALID, "not_yet_valid"}, {DONJON_INVALID_ISSUER, "invalid_issuer"},
        {DONJON_INVALID_AUDIENCE, "invalid_audience"}, {DONJON_WRONG_TOKEN_TYPE, "wrong_token_type"},
        {DONJON_REUSE_DETECTED, "reuse_detected"}, {DONJON_STATE_STALE, "state_stale"}, {DONJON_REVOKED, "revoked"},
        {DONJON_INVALID, "invalid"}, {DONJON_PASSWORD_MISMATCH, "password_mismatch"}, {DONJON_INVALID_HASH, "invalid_hash"},
        {DONJON_PARAMS_OUT_OF_BOUNDS, "params_out_of_bounds"}, {DONJON_BUSY, "busy"},
        {DONJON_PERMISSION_DENIED, "permission_denied"}, {DONJON_UNKNOWN_PERMISSION, "unknown_permission"},
        {DONJON_UNKNOWN_ROLE, "unknown_role"}, {DONJON_SEPARATION_OF_DUTY, "separation_of_duty"},
        {DONJON_CARDINALITY_EXCEEDED, "cardinality_exceeded"},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        CHECK(strcmp(donjon_status_str(TABLE[i].status), TABLE[i].name) == 0);
        CHECK(strlen(donjon_status_message(TABLE[i].status)) > 0);
        int32_t http = donjon_status_http(TABLE[i].status);
        CHECK(http >= 200 && http < 600);
    }
    CHECK(donjon_status_http(DONJON_OK) == 200);
    CHECK(donjon_status_http(DONJON_EXPIRED) == 401);
    CHECK(donjon_status_http(DONJON_CONFIG_ERROR) == 500);
    static const int32_t STRANGERS[] = {-1, 10, 19, 54, 59, 64, 79, 85, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof STRANGERS / sizeof *STRANGERS; i++) {
        CHECK(strcmp(donjon_status_str(STRANGERS[i]), "unknown_status") == 0);
        CHECK(donjon_status_message(STRANGERS[i]) != NULL);
        CHECK(donjon_status_http(STRANGERS[i]) == 500);
    }
}

static void structs_have_their_pinned_layout(void) {
    CHECK(sizeof(donjon_span) == 8);
    CHECK(offsetof(donjon_span, offset) == 0 && offsetof(donjon_span, length) == 4);
    CHECK(sizeof(donjon_claims) == 104);
    CHECK(offsetof(donjon_claims, expires_at_s) == 0 && offsetof(donjon_claims, not_before_s) == 8);
    CHECK(offsetof(donjon_claims, issued_at_s) == 16 && offsetof(donjon_claims, generation) == 24);
    CHECK(offsetof(donjon_claims, json) == 32 && offsetof(donjon_claims, issuer) == 40);
    CHECK(offsetof(donjon_claims, subject) == 48 && offsetof(donjon_claims, token_id) == 56);
    CHECK(offsetof(donjon_claims, family) == 64 && offsetof(donjon_claims, audience) == 72);
    CHECK(offsetof(donjon_claims, permissions) == 80 && offsetof(donjon_claims, roles) == 88);
    CHECK(offsetof(donjon_claims, key_id) == 96);
    CHECK(sizeof(donjon_jws) == 24);
    CHECK(offsetof(donjon_jws, payload) == 0 && offsetof(donjon_jws, alg) == 8 && offsetof(donjon_jws, key_id) == 16);
    CHECK(sizeof(donjon_refresh_verdict) == 8 + DONJON_REFRESH_STATE_LEN);
    CHECK(offsetof(donjon_refresh_verdict, status) == 0 && offsetof(donjon_refresh_verdict, changed) == 4);
    CHECK(offsetof(donjon_refresh_verdict, state) == 8);
    CHECK(sizeof(donjon_revocation_facts) == 40);
    CHECK(offsetof(donjon_revocation_facts, skew_s) == 24 && offsetof(donjon_revocation_facts, token_revoked) == 32);
    CHECK(offsetof(donjon_revocation_facts, family_revoked) == 33 && offsetof(donjon_revocation_facts, key_revoked) == 34);
    CHECK(sizeof(donjon_jwks_verdict) == 16 + DONJON_JWKS_STATE_LEN);
    CHECK(offsetof(donjon_jwks_verdict, fetch) == 0 && offsetof(donjon_jwks_verdict, retry_after_ms) == 8);
    CHECK(offsetof(donjon_jwks_verdict, state) == 16);
    CHECK(sizeof(donjon_password_verdict) == 8);
    CHECK(offsetof(donjon_password_verdict, needs_rehash) == 0 && offsetof(donjon_password_verdict, truncated) == 4);
    CHECK(DONJON_PASSWORD_MAX == 4096 && DONJON_PASSWORD_HASH_MAX == 512);
    CHECK(DONJON_ANY == 1 && DONJON_ALL == 2);
    CHECK(DONJON_MATRIX_JSON == 0 && DONJON_MATRIX_MARKDOWN == 1 && DONJON_MATRIX_HTML == 2);
    CHECK(DONJON_NEVER == INT64_MIN && DONJON_ABSENT == UINT32_MAX);
}

static void every_free_takes_null(void) {
    donjon_keyring_free(NULL);
    donjon_issuer_free(NULL);
    donjon_verifier_free(NULL);
    donjon_purpose_tokens_free(NULL);
}

/* ---- keyrings ---- */

static void keyrings_come_from_every_source(void) {
    donjon_keyring *keyring = NULL;
    CHECK_STATUS(donjon_keyring_generate(NULL, 0, NOW, &keyring), DONJON_OK);
    donjon_keyring_free(keyring);

    CHECK_STATUS(donjon_keyring_from_master(TEXT(MASTER), NULL, 0, &keyring), DONJON_OK);
    uint8_t first[4096], second[4096];
    size_t first_len = 0, second_len = 0;
    CHECK_STATUS(donjon_keyring_to_jwks(keyring, first, sizeof first, &first_len), DONJON_OK);
    donjon_keyring_free(keyring);
    const char *config = "{\"keys\":[{\"purpose\":\"token\",\"alg\":\"EdDSA\",\"epoch\":1,\"oldest\":1,\"disabled\":[]}]}";
    CHECK_STATUS(donjon_keyring_from_master(TEXT(MASTER), TEXT(config), &keyring), DONJON_OK);
    CHECK_STATUS(donjon_keyring_summary(keyring, second, sizeof second, &second_len), DONJON_OK);
    donjon_keyring_free(keyring);
    CHECK_STATUS(donjon_keyring_from_master(TEXT("c2hvcnQ"), NULL, 0, &keyring), DONJON_CONFIG_ERROR);

    const char *secret = "q4t7w!z%C*F-JaNdRgUkXp2s5v8y/B?E";
    CHECK_STATUS(donjon_keyring_from_secret(TEXT(secret), TEXT("HS256"), TEXT("s"), &keyring), DONJON_OK);
    donjon_keyring_free(keyring);
    CHECK_STATUS(donjon_keyring_from_secret(TEXT(secret), TEXT("HS256"), NULL, 0, &keyring), DONJON_OK);
    donjon_keyring_free(keyring);
    CHECK_STATUS(donjon_keyring_from_secret(TEXT(secret), TEXT("HS512"), NULL, 0, &keyring), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_from_secret(TEXT(secret), TEXT("EdDSA"), NULL, 0, &keyring), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_from_secret(TEXT("changeme"), TEXT("HS256"), NULL, 0, &keyring), DONJON_CONFIG_ERROR);

    /* RFC 8410 section 10.1 and 10.3 */
    const char *public_pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    const char *private_pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    CHECK_STATUS(donjon_keyring_from_pem(TEXT(public_pem), TEXT("EdDSA"), TEXT("p"), &keyring), DONJON_OK);
    donjon_keyring_free(keyring);
    CHECK_STATUS(donjon_keyring_from_pem(TEXT(private_pem), TEXT("EdDSA"), TEXT("p"), &keyring), DONJON_OK);
    donjon_keyring_free(keyring);
    CHECK_STATUS(donjon_keyring_from_pem(TEXT(public_pem), TEXT("RS256"), NULL, 0, &keyring), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_from_secret(TEXT(public_pem), TEXT("HS256"), NULL, 0, &keyring), DONJON_CONFIG_ERROR);
}

static void a_keyring_survives_its_own_text(void) {
    donjon_keyring *keyring = new_keyring(), *copy = NULL;
    uint8_t jwks[8192], again[8192];
    size_t len = 0, again_len = 0;
    CHECK_STATUS(donjon_keyring_to_jwks(keyring, jwks, sizeof jwks, &len), DONJON_OK);
    CHECK_STATUS(donjon_keyring_from_jwks(jwks, len, &copy), DONJON_OK);
    CHECK_STATUS(donjon_keyring_to_jwks(copy, again, sizeof again, &again_len), DONJON_OK);
    CHECK(len == again_len && memcmp(jwks, again, len) == 0);
    donjon_keyring_free(copy);
    donjon_keyring_free(keyring);
}

static void the_public_set_and_the_summary_hold_no_secret(void) {
    donjon_keyring *keyring = new_keyring();
    uint8_t text[8192];
    size_t len = 0;
    CHECK_STATUS(donjon_keyring_public_jwks(keyring, NOW, text, sizeof text - 1, &len), DONJON_OK);
    text[len] = 0;
    CHECK(strstr((char *)text, "\"keys\"") != NULL && strstr((char *)text, "\"x\"") != NULL);
    CHECK(strstr((char *)text, "\"d\"") == NULL && strstr((char *)text, "\"k\"") == NULL && strstr((char *)text, "oct") == NULL);
    CHECK_STATUS(donjon_keyring_summary(keyring, text, sizeof text - 1, &len), DONJON_OK);
    text[len] = 0;
    CHECK(strstr((char *)text, "\"state-binding\"") != NULL && strstr((char *)text, "\"thumbprint\"") != NULL);
    CHECK(strstr((char *)text, "\"d\"") == NULL && strstr((char *)text, "\"k\"") == NULL && strstr((char *)text, "\"x\"") == NULL);
    donjon_keyring_free(keyring);
}

static void primary_id(const donjon_keyring *keyring, char *kid, size_t cap) {
    uint8_t text[8192];
    size_t len = 0;
    CHECK_STATUS(donjon_keyring_summary(keyring, text, sizeof text - 1, &len), DONJON_OK);
    text[len] = 0;
    kid[0] = 0;
    for (char *entry = strstr((char *)text, "{\"kid\":\""); entry != NULL; entry = strstr(entry + 1, "{\"kid\":\"")) {
        char *end = strchr(entry, '}');
        char *purpose = strstr(entry, "\"purpose\":\"token\",\"status\":\"primary\"");
        if (purpose != NULL && purpose < end) {
            char *start = entry + strlen("{\"kid\":\"");
            size_t size = (size_t)(strchr(start, '"') - start);
            CHECK(size < cap);
            memcpy(kid, start, size);
            kid[size] = 0;
            return;
        }
    }
    CHECK(!"a primary token key");
}

static void rotation_keeps_old_tokens_alive_until_the_overlap_ends(void) {
    donjon_keyring *before = new_keyring(), *after = NULL;
    donjon_issuer *issuer = new_issuer(before);
    uint8_t token[2048], out[4096];
    size_t len = access_token(issuer, "", token, sizeof token), out_len = 0;
    CHECK_STATUS(donjon_keyring_rotate(before, TEXT("token"), NULL, 0, NOW, 60, &after), DONJON_OK);
    char old_kid[256], new_kid[256];
    primary_id(before, old_kid, sizeof old_kid);
    primary_id(after, new_kid, sizeof new_kid);
    CHECK(strcmp(old_kid, new_kid) != 0);
    donjon_verifier *verifier = new_verifier(after, VERIFIER_CONFIG);
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW + 59, &claims, out, sizeof out, &out_len), DONJON_OK);
    CHECK(span_is(out, claims.key_id, old_kid));
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW + 60, &claims, out, sizeof out, &out_len), DONJON_KEY_EXPIRED);
    donjon_verifier_free(verifier);
    donjon_keyring *again = NULL;
    CHECK_STATUS(donjon_keyring_rotate(before, TEXT("envelope"), NULL, 0, NOW, 60, &again), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_rotate(before, TEXT("tokens"), NULL, 0, NOW, 60, &again), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_rotate(before, TEXT("token"), TEXT("ES256"), NOW, 60, &again), DONJON_OK);
    donjon_keyring_free(again);
    donjon_issuer_free(issuer);
    donjon_keyring_free(after);
    donjon_keyring_free(before);
}

static void a_status_changes_what_a_key_verifies(void) {
    donjon_keyring *keyring = new_keyring(), *changed = NULL;
    donjon_issuer *issuer = new_issuer(keyring);
    uint8_t token[2048], out[4096];
    size_t len = access_token(issuer, "", token, sizeof token), out_len = 0;
    char kid[256];
    primary_id(keyring, kid, sizeof kid);
    static const struct {
        const char *status;
        int64_t not_after_s;
        int32_t expected;
    } CASES[] = {
        {"active", DONJON_NEVER, DONJON_OK},
        {"verify-only", DONJON_NEVER, DONJON_OK},
        {"verify-only", NOW + 1, DONJON_OK},
        {"verify-only", NOW, DONJON_KEY_EXPIRED},
        {"disabled", DONJON_NEVER, DONJON_KEY_DISABLED},
        {"destroyed", DONJON_NEVER, DONJON_KEY_DESTROYED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK_STATUS(donjon_keyring_set_status(keyring, TEXT(kid), TEXT(CASES[i].status), CASES[i].not_after_s, &changed), DONJON_OK);
        donjon_verifier *verifier = new_verifier(changed, VERIFIER_CONFIG);
        donjon_claims claims;
        CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len), CASES[i].expected);
        donjon_verifier_free(verifier);
        donjon_keyring_free(changed);
    }
    CHECK_STATUS(donjon_keyring_set_status(keyring, TEXT("nobody"), TEXT("disabled"), DONJON_NEVER, &changed), DONJON_UNKNOWN_KEY);
    CHECK_STATUS(donjon_keyring_set_status(keyring, TEXT(kid), TEXT("retired"), DONJON_NEVER, &changed), DONJON_CONFIG_ERROR);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void a_derived_key_is_disabled_but_not_destroyed(void) {
    donjon_keyring *keyring = NULL, *changed = NULL;
    CHECK_STATUS(donjon_keyring_from_master(TEXT(MASTER), NULL, 0, &keyring), DONJON_OK);
    char kid[256];
    primary_id(keyring, kid, sizeof kid);
    CHECK_STATUS(donjon_keyring_set_status(keyring, TEXT(kid), TEXT("destroyed"), DONJON_NEVER, &changed), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_set_status(keyring, TEXT(kid), TEXT("disabled"), DONJON_NEVER, &changed), DONJON_OK);
    donjon_keyring_free(changed);
    donjon_keyring_free(keyring);
}

static void one_more_key_is_imported(void) {
    donjon_keyring *keyring = new_keyring(), *more = NULL;
    const char *jwk = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"more\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    CHECK_STATUS(donjon_keyring_import(keyring, TEXT(jwk), &more), DONJON_OK);
    donjon_keyring *twice = NULL;
    CHECK_STATUS(donjon_keyring_import(more, TEXT(jwk), &twice), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_import(more, TEXT("{}"), &twice), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_keyring_import(more, NULL, 0, &twice), DONJON_CONFIG_ERROR);
    donjon_keyring_free(more);
    donjon_keyring_free(keyring);
}

/* ---- tokens ---- */

static void an_access_token_says_what_it_was_given(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    const char *more = "{\"permissions\":[\"document:read\"],\"roles\":[\"editor\"],\"name\":\"Zo\\u00eb\"}";
    uint8_t token[2048], out[4096];
    size_t len = access_token(issuer, more, token, sizeof token), out_len = 0;
    CHECK(len <= donjon_issuer_bound(issuer, 3, strlen(more)));
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len), DONJON_OK);
    CHECK(out_len <= 2 * len);
    CHECK(claims.issued_at_s == NOW && claims.expires_at_s == NOW + 1800);
    CHECK(claims.not_before_s == DONJON_NEVER && claims.generation == -1);
    CHECK(claims.family.offset == DONJON_ABSENT);
    CHECK(span_is(out, claims.issuer, "https://issuer.example"));
    CHECK(span_is(out, claims.subject, "ann"));
    CHECK(span_is(out, claims.audience, "\"api\""));
    CHECK(span_is(out, claims.permissions, "[\"document:read\"]"));
    CHECK(span_is(out, claims.roles, "[\"editor\"]"));
    CHECK(claims.token_id.length == 22);
    CHECK(claims.key_id.offset != DONJON_ABSENT);
    CHECK(claims.json.length > 100 && out[claims.json.offset] == '{' && out[claims.json.offset + claims.json.length - 1] == '}');
    char header[256];
    size_t header_len = 0;
    CHECK_STATUS(donjon_jws_unverified_header(token, len, (uint8_t *)header, sizeof header - 1, &header_len), DONJON_OK);
    header[header_len] = 0;
    CHECK(strncmp(header, "{\"alg\":\"EdDSA\",\"kid\":\"", 22) == 0 && strstr(header, ",\"typ\":\"at+jwt\"}") != NULL);
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void an_escaped_subject_is_decoded_behind_the_claims(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    const char *body = "{\"iss\":\"https:\\/\\/issuer.example\",\"sub\":\"\\u0061\\ud83d\\ude00\\\"\",\"aud\":\"api\",\"exp\":1700000001}";
    uint8_t token[2048], out[4096];
    size_t len = 0, out_len = 0;
    CHECK_STATUS(donjon_token_sign(keyring, NULL, 0, TEXT("at+jwt"), TEXT(body), token, sizeof token, &len), DONJON_OK);
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, 2 * len, &out_len), DONJON_OK);
    CHECK(span_is(out, claims.subject, "a\xf0\x9f\x98\x80\""));
    CHECK(span_is(out, claims.issuer, "https://issuer.example"));
    CHECK(claims.token_id.offset == DONJON_ABSENT && claims.permissions.offset == DONJON_ABSENT);
    donjon_verifier_free(verifier);
    donjon_keyring_free(keyring);
}

static void every_token_has_an_id_of_its_own(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    uint8_t first[2048], second[2048];
    size_t first_len = access_token(issuer, "", first, sizeof first);
    size_t second_len = access_token(issuer, "", second, sizeof second);
    CHECK(first_len == second_len && memcmp(first, second, first_len) != 0);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void logging_out_everywhere_stamps_the_next_token_later(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    uint8_t token[2048], out[4096];
    size_t len = 0, out_len = 0;
    CHECK_STATUS(donjon_issuer_access(issuer, TEXT("ann"), NULL, 0, 0, NOW, NOW, token, sizeof token, &len), DONJON_OK);
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len), DONJON_OK);
    CHECK(claims.issued_at_s == NOW + 3);
    donjon_revocation_facts facts = {.issued_at_s = claims.issued_at_s, .subject_since_s = NOW, .store_since_s = 0, .skew_s = 2};
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_OK);
    facts.issued_at_s = NOW;
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_REVOKED);
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void a_forged_token_leaves_nothing_in_the_claims(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    uint8_t token[2048], out[4096];
    size_t len = access_token(issuer, "", token, sizeof token), out_len = 4711;
    for (size_t i = 0; i < len; i++) {
        uint8_t kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        donjon_claims claims;
        memset(&claims, UNTOUCHED, sizeof claims);
        memset(out, UNTOUCHED, sizeof out);
        int32_t status = donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len);
        CHECK(status != DONJON_OK && status != DONJON_INTERNAL_ERROR);
        CHECK(is_untouched((uint8_t *)&claims, sizeof claims) && is_untouched(out, sizeof out));
        token[i] = kept;
    }
    for (size_t cut = 0; cut < len; cut++) {
        donjon_claims claims;
        CHECK(donjon_verifier_verify(verifier, token, cut, NOW, &claims, out, sizeof out, &out_len) != DONJON_OK);
    }
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void mints_refuse_what_verifiers_refuse(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    static const char *BAD[] = {
        "{\"permissions\":\"document:*\"}", "{\"permissions\":[1]}", "{\"roles\":{}}", "{\"sub\":\"eve\"}", "{\"exp\":9999999999}",
        "{\"iss\":\"x\"}", "{\"jti\":\"x\"}", "{\"aud\":\"x\"}", "{\"iat\":1}", "{\"x\":1,\"x\":2}", "[]", "null", "{", "{} {}",
    };
    uint8_t token[2048];
    size_t len = 0;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        memset(token, UNTOUCHED, sizeof token);
        int32_t status = donjon_issuer_access(issuer, TEXT("ann"), TEXT(BAD[i]), 0, DONJON_NEVER, NOW, token, sizeof token, &len);
        CHECK(status == DONJON_INVALID_ARGUMENT || status == DONJON_BAD_CLAIM_TYPE || status == DONJON_MALFORMED);
        CHECK(is_untouched(token, sizeof token));
    }
    const char *invalid_utf8 = "\xff\xfe";
    CHECK(donjon_issuer_access(issuer, TEXT(invalid_utf8), NULL, 0, 0, DONJON_NEVER, NOW, token, sizeof token, &len) == DONJON_INVALID_ARGUMENT);
    CHECK(donjon_issuer_access(issuer, TEXT("ann"), NULL, 0, -1, DONJON_NEVER, NOW, token, sizeof token, &len) == DONJON_INVALID_ARGUMENT);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void configurations_must_say_what_they_expect(void) {
    donjon_keyring *keyring = new_keyring();
    static const char *VERIFIERS[] = {
        "", "{}", "[]", "null", "{\"issuer\":null,\"audience\":null,\"type\":null}", "{\"audience\":null,\"type\":null,\"algorithms\":[\"EdDSA\"]}",
        "{\"issuer\":null,\"type\":null,\"algorithms\":[\"EdDSA\"]}", "{\"issuer\":null,\"audience\":null,\"algorithms\":[\"EdDSA\"]}",
        "{\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":null}", "{\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":[]}",
        "{\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":[\"none\"]}",
        "{\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":[\"EdDSA\"],\"leeway\":10}",
        "{\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":[\"EdDSA\"],\"leeway_s\":301}",
        "{\"issuer\":null,\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":[\"EdDSA\"]}",
        "{\"issuer\":null,\"audience\":null,\"type\":null,\"algorithms\":[\"EdDSA\"]} ,",
    };
    for (size_t i = 0; i < sizeof VERIFIERS / sizeof *VERIFIERS; i++) {
        donjon_verifier *verifier = NULL;
        CHECK_STATUS(donjon_verifier_new(keyring, TEXT(VERIFIERS[i]), &verifier), DONJON_CONFIG_ERROR);
        CHECK(verifier == NULL);
    }
    static const char *ISSUERS[] = {
        "", "{}", "{\"issuer\":\"x\"}", "{\"audience\":\"x\"}", "{\"issuer\":1,\"audience\":\"x\"}", "{\"issuer\":\"x\",\"audience\":[1]}",
        "{\"issuer\":\"x\",\"audience\":\"x\",\"access_ttl_s\":0}", "{\"issuer\":\"x\",\"audience\":\"x\",\"access_ttl_s\":-1}",
        "{\"issuer\":\"x\",\"audience\":\"x\",\"ttl\":1}",
    };
    for (size_t i = 0; i < sizeof ISSUERS / sizeof *ISSUERS; i++) {
        donjon_issuer *issuer = NULL;
        CHECK_STATUS(donjon_issuer_new(keyring, TEXT(ISSUERS[i]), &issuer), DONJON_CONFIG_ERROR);
        CHECK(issuer == NULL);
    }
    donjon_keyring_free(keyring);
}

static void an_issuer_wants_a_primary_key(void) {
    donjon_keyring *keyring = NULL;
    donjon_issuer *issuer = NULL;
    donjon_purpose_tokens *tokens = NULL;
    const char *jwks = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    CHECK_STATUS(donjon_keyring_from_jwks(TEXT(jwks), &keyring), DONJON_OK);
    CHECK_STATUS(donjon_issuer_new(keyring, TEXT(ISSUER_CONFIG), &issuer), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_purpose_tokens_new(keyring, &tokens), DONJON_CONFIG_ERROR);
    CHECK(issuer == NULL && tokens == NULL);
    donjon_keyring_free(keyring);

    CHECK_STATUS(donjon_keyring_from_secret(TEXT("q4t7w!z%C*F-JaNdRgUkXp2s5v8y/B?E"), TEXT("HS256"), NULL, 0, &keyring), DONJON_OK);
    CHECK_STATUS(donjon_issuer_new(keyring, TEXT(ISSUER_CONFIG), &issuer), DONJON_OK);
    uint8_t token[2048], state[DONJON_REFRESH_STATE_LEN];
    size_t len = access_token(issuer, "", token, sizeof token);
    CHECK(len > 0);
    CHECK_STATUS(donjon_refresh_begin(NOW * 1000, state), DONJON_OK);
    CHECK_STATUS(donjon_issuer_refresh(issuer, state, sizeof state, TEXT("ann"), NULL, 0, 0, DONJON_NEVER, NOW, token, sizeof token, &len), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_purpose_tokens_new(keyring, &tokens), DONJON_CONFIG_ERROR);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void a_bare_jws_is_verified(void) {
    /* RFC 8037 appendix A.4 and A.5 */
    const char *jwks = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
    const char *jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    donjon_keyring *keyring = NULL;
    CHECK_STATUS(donjon_keyring_from_jwks(TEXT(jwks), &keyring), DONJON_OK);
    donjon_jws info;
    uint8_t out[512];
    size_t len = 0;
    CHECK_STATUS(donjon_jws_verify(keyring, TEXT("[\"EdDSA\"]"), TEXT(jws), NOW, &info, out, sizeof out, &len), DONJON_OK);
    CHECK(info.payload.offset == 0 && span_is(out, info.payload, "Example of Ed25519 signing"));
    CHECK(span_is(out, info.alg, "EdDSA"));
    CHECK(info.key_id.offset == DONJON_ABSENT);
    CHECK_STATUS(donjon_jws_verify(keyring, TEXT("[\"ES256\"]"), TEXT(jws), NOW, &info, out, sizeof out, &len), DONJON_ALG_NOT_ALLOWED);
    CHECK_STATUS(donjon_jws_verify(keyring, NULL, 0, TEXT(jws), NOW, &info, out, sizeof out, &len), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_jws_verify(keyring, TEXT("[]"), TEXT(jws), NOW, &info, out, sizeof out, &len), DONJON_CONFIG_ERROR);
    donjon_keyring_free(keyring);
}

/* ---- refresh families ---- */

static void a_family_rotates_and_reuse_ends_it(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    donjon_verifier *verifier = new_verifier(keyring, REFRESH_CONFIG);
    uint8_t state[DONJON_REFRESH_STATE_LEN], token[2048], out[4096];
    size_t len = 0, out_len = 0;
    const int64_t now_ms = NOW * 1000;
    CHECK_STATUS(donjon_refresh_begin(now_ms, state), DONJON_OK);
    CHECK_STATUS(donjon_issuer_refresh(issuer, state, sizeof state, TEXT("ann"), NULL, 0, 0, DONJON_NEVER, NOW, token, sizeof token, &len), DONJON_OK);
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len), DONJON_OK);
    CHECK(claims.expires_at_s == NOW + 604800 && claims.generation >= 0 && claims.family.offset != DONJON_ABSENT);
    uint8_t family[64];
    size_t family_len = claims.family.length;
    CHECK(family_len < sizeof family);
    memcpy(family, out + claims.family.offset, family_len);
    const int64_t first = claims.generation;

    donjon_refresh_verdict rotated, again, late, ahead, dead;
    CHECK_STATUS(donjon_refresh_rotate(state, sizeof state, family, family_len, first, now_ms + 1000, 10000, &rotated), DONJON_OK);
    CHECK(rotated.status == DONJON_OK && rotated.changed == 1 && memcmp(rotated.state, state, sizeof state) != 0);
    /* The same token again within the grace: the same successor, nothing to store. */
    CHECK_STATUS(donjon_refresh_rotate(rotated.state, sizeof state, family, family_len, first, now_ms + 5000, 10000, &again), DONJON_OK);
    CHECK(again.status == DONJON_OK && again.changed == 0 && memcmp(again.state, rotated.state, sizeof state) == 0);
    uint8_t successors[2][2048];
    char jti[2][32];
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(donjon_issuer_refresh(issuer, i == 0 ? rotated.state : again.state, sizeof state, TEXT("ann"), NULL, 0, 0, DONJON_NEVER, NOW, successors[i], sizeof successors[i], &len), DONJON_OK);
        CHECK_STATUS(donjon_verifier_verify(verifier, successors[i], len, NOW, &claims, out, sizeof out, &out_len), DONJON_OK);
        CHECK(claims.generation == first + 1 && claims.token_id.length < sizeof jti[i]);
        memcpy(jti[i], out + claims.token_id.offset, claims.token_id.length);
        jti[i][claims.token_id.length] = 0;
    }
    CHECK(strcmp(jti[0], jti[1]) == 0);
    /* After the grace: reuse, and the family is over, even for its newest token. */
    CHECK_STATUS(donjon_refresh_rotate(rotated.state, sizeof state, family, family_len, first, now_ms + 60000, 10000, &late), DONJON_OK);
    CHECK(late.status == DONJON_REUSE_DETECTED && late.changed == 1);
    CHECK_STATUS(donjon_refresh_rotate(late.state, sizeof state, family, family_len, first + 1, now_ms + 60001, 10000, &dead), DONJON_OK);
    CHECK(dead.status == DONJON_REVOKED && dead.changed == 0);
    CHECK_STATUS(donjon_refresh_rotate(late.state, sizeof state, family, family_len, first, now_ms + 1001, 10000, &dead), DONJON_OK);
    CHECK(dead.status == DONJON_REVOKED || dead.status == DONJON_REUSE_DETECTED);
    /* The store went back in time, or lost the family. */
    CHECK_STATUS(donjon_refresh_rotate(state, sizeof state, family, family_len, first + 5, now_ms, 10000, &ahead), DONJON_OK);
    CHECK(ahead.status == DONJON_STATE_STALE);
    CHECK_STATUS(donjon_refresh_rotate(NULL, 0, family, family_len, first, now_ms, 10000, &ahead), DONJON_OK);
    CHECK(ahead.status == DONJON_STATE_STALE);
    /* Logged out. */
    uint8_t revoked[DONJON_REFRESH_STATE_LEN];
    CHECK_STATUS(donjon_refresh_revoke(rotated.state, sizeof state, revoked), DONJON_OK);
    CHECK_STATUS(donjon_refresh_rotate(revoked, sizeof revoked, family, family_len, first + 1, now_ms, 10000, &dead), DONJON_OK);
    CHECK(dead.status == DONJON_REVOKED);
    CHECK(donjon_issuer_refresh(issuer, revoked, sizeof revoked, TEXT("ann"), NULL, 0, 0, DONJON_NEVER, NOW, token, sizeof token, &len) != DONJON_OK);
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void a_state_that_is_none_is_refused(void) {
    uint8_t state[DONJON_REFRESH_STATE_LEN];
    donjon_refresh_verdict verdict;
    CHECK_STATUS(donjon_refresh_begin(NOW * 1000, state), DONJON_OK);
    for (size_t len = 1; len <= sizeof state + 1; len++) {
        uint8_t buffer[DONJON_REFRESH_STATE_LEN + 1] = {0};
        memcpy(buffer, state, sizeof state);
        int32_t status = donjon_refresh_rotate(buffer, len, TEXT("x"), 0, NOW, 0, &verdict);
        CHECK(len == sizeof state ? status == DONJON_OK || status == DONJON_INVALID_ARGUMENT || status == DONJON_MALFORMED : status != DONJON_OK);
        if (len == sizeof state && status == DONJON_OK) {
            CHECK(verdict.status != DONJON_OK); /* another family */
        }
    }
    memset(state, 0xFF, sizeof state);
    int32_t status = donjon_refresh_rotate(state, sizeof state, TEXT("x"), 0, NOW, 0, &verdict);
    CHECK(status != DONJON_OK || verdict.status != DONJON_OK);
}

/* ---- revocation, key sets ---- */

static void revocation_is_decided(void) {
    donjon_revocation_facts facts = {.issued_at_s = NOW, .subject_since_s = DONJON_NEVER, .store_since_s = 0, .skew_s = 2};
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_OK);
    facts.token_revoked = 1;
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_REVOKED);
    facts.token_revoked = 0;
    facts.store_since_s = DONJON_NEVER;
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_REVOKED);
    facts.store_since_s = 0;
    facts.issued_at_s = DONJON_NEVER;
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_MISSING_CLAIM);
    facts.issued_at_s = NOW;
    facts.skew_s = 301;
    CHECK_STATUS(donjon_revocation_check(&facts), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_revocation_check(NULL), DONJON_INVALID_ARGUMENT);
}

static void unknown_keys_cause_no_refresh_storm(void) {
    donjon_jwks_verdict verdict;
    int64_t now_ms = NOW * 1000;
    int fetches = 0;
    CHECK_STATUS(donjon_jwks_refresh(NULL, 0, DONJON_JWKS_UNKNOWN_KEY, now_ms, 30000, 3600000, &verdict), DONJON_OK);
    CHECK(verdict.fetch == 1);
    fetches += verdict.fetch;
    for (int i = 0; i < 10000; i++) {
        uint8_t state[DONJON_JWKS_STATE_LEN];
        memcpy(state, verdict.state, sizeof state);
        CHECK_STATUS(donjon_jwks_refresh(state, sizeof state, DONJON_JWKS_UNKNOWN_KEY, now_ms + i, 30000, 3600000, &verdict), DONJON_OK);
        fetches += verdict.fetch;
        CHECK(verdict.fetch == 1 || verdict.retry_after_ms > 0);
    }
    CHECK(fetches == 1);
    CHECK_STATUS(donjon_jwks_refresh(NULL, 0, 0, now_ms, 30000, 3600000, &verdict), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_jwks_refresh(NULL, 0, 5, now_ms, 30000, 3600000, &verdict), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_jwks_refresh(NULL, 0, INT32_MIN, now_ms, 30000, 3600000, &verdict), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_jwks_refresh(NULL, 0, INT32_MAX, now_ms, 30000, 3600000, &verdict), DONJON_INVALID_ARGUMENT);
}

/* ---- single-purpose tokens ---- */

static void a_purpose_token_dies_with_its_state(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_purpose_tokens *tokens = NULL;
    CHECK_STATUS(donjon_purpose_tokens_new(keyring, &tokens), DONJON_OK);
    uint8_t token[2048];
    size_t len = 0;
    CHECK_STATUS(donjon_purpose_tokens_mint(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-1"), 600, NOW, token, sizeof token, &len), DONJON_OK);
    CHECK(len <= donjon_purpose_tokens_bound(5, 3));
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-1"), token, len, NOW + 599), DONJON_OK);
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-2"), token, len, NOW), DONJON_INVALID);
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("reset"), TEXT("bob"), TEXT("hash-1"), token, len, NOW), DONJON_INVALID);
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("invite"), TEXT("ann"), TEXT("hash-1"), token, len, NOW), DONJON_INVALID);
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-1"), token, len, NOW + 600), DONJON_INVALID);
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-1"), token, len - 1, NOW), DONJON_INVALID);
    CHECK_STATUS(donjon_purpose_tokens_check(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-1"), NULL, 0, NOW), DONJON_INVALID);
    static const char *NAMES[] = {"", "at", "rt", "Reset", "re set", "-x", "1x", "x_y", "abcdefghijklmnopqrstuvwxyzabcdefg"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        CHECK_STATUS(donjon_purpose_tokens_mint(tokens, TEXT(NAMES[i]), TEXT("ann"), TEXT("s"), 600, NOW, token, sizeof token, &len), DONJON_INVALID_ARGUMENT);
    }
    /* It is no access token. */
    donjon_verifier *verifier = NULL;
    CHECK_STATUS(donjon_purpose_tokens_mint(tokens, TEXT("reset"), TEXT("ann"), TEXT("hash-1"), 600, NOW, token, sizeof token, &len), DONJON_OK);
    const char *lax = "{\"issuer\":null,\"audience\":null,\"type\":\"at+jwt\",\"algorithms\":[\"EdDSA\"]}";
    CHECK_STATUS(donjon_verifier_new(keyring, TEXT(lax), &verifier), DONJON_OK);
    uint8_t out[4096];
    size_t out_len = 0;
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len), DONJON_WRONG_TOKEN_TYPE);
    donjon_verifier_free(verifier);
    donjon_purpose_tokens_free(tokens);
    donjon_keyring_free(keyring);
}

/* ---- the contract ---- */

/* `call` with `out`, `cap`, `len` in scope: a probe, a buffer one byte short, and one that fits. */
#define CHECK_BUFFER(call_with, bound) \
    do { \
        static uint8_t out[16384]; \
        size_t needed = 0, len = 0, cap = 0; \
        memset(out, UNTOUCHED, sizeof out); \
        { \
            uint8_t *buffer = NULL; \
            CHECK_STATUS(call_with(buffer, cap, &needed), DONJON_BUFFER_TOO_SMALL); \
        } \
        CHECK(needed > 0 && needed <= sizeof out); \
        cap = needed - 1; \
        CHECK_STATUS(call_with(out, cap, &len), DONJON_BUFFER_TOO_SMALL); \
        CHECK(len == needed && is_untouched(out, sizeof out)); \
        cap = needed; \
        CHECK_STATUS(call_with(out, cap, &len), DONJON_OK); \
        CHECK(len > 0 && len <= needed && is_untouched(out + len, sizeof out - len)); \
        if ((bound) != 0) { \
            CHECK(needed == (size_t)(bound)); \
        } \
        CHECK_STATUS(call_with(out, cap, NULL), DONJON_INVALID_ARGUMENT); \
        CHECK_STATUS(call_with(NULL, cap, &len), DONJON_INVALID_ARGUMENT); \
    } while (0)

static void small_buffers_get_the_length_and_nothing_else(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    donjon_purpose_tokens *tokens = NULL;
    CHECK_STATUS(donjon_purpose_tokens_new(keyring, &tokens), DONJON_OK);
    uint8_t state[DONJON_REFRESH_STATE_LEN], token[2048];
    CHECK_STATUS(donjon_refresh_begin(NOW * 1000, state), DONJON_OK);
    size_t token_len = access_token(issuer, "{}", token, sizeof token);
    donjon_claims claims;
    donjon_jws info;

#define TO_JWKS(out, cap, len) donjon_keyring_to_jwks(keyring, out, cap, len)
#define PUBLIC_JWKS(out, cap, len) donjon_keyring_public_jwks(keyring, NOW, out, cap, len)
#define SUMMARY(out, cap, len) donjon_keyring_summary(keyring, out, cap, len)
#define ACCESS(out, cap, len) donjon_issuer_access(issuer, TEXT("ann"), TEXT("{}"), 0, DONJON_NEVER, NOW, out, cap, len)
#define REFRESH(out, cap, len) donjon_issuer_refresh(issuer, state, sizeof state, TEXT("ann"), TEXT("{}"), 0, DONJON_NEVER, NOW, out, cap, len)
#define SIGN(out, cap, len) donjon_token_sign(keyring, NULL, 0, TEXT("at+jwt"), TEXT("{\"a\":1}"), out, cap, len)
#define VERIFY(out, cap, len) donjon_verifier_verify(verifier, token, token_len, NOW, &claims, out, cap, len)
#define VERIFY_JWS(out, cap, len) donjon_jws_verify(keyring, TEXT("[\"EdDSA\"]"), token, token_len, NOW, &info, out, cap, len)
#define HEADER(out, cap, len) donjon_jws_unverified_header(token, token_len, out, cap, len)
#define MINT(out, cap, len) donjon_purpose_tokens_mint(tokens, TEXT("reset"), TEXT("ann"), TEXT("s"), 60, NOW, out, cap, len)
    CHECK_BUFFER(TO_JWKS, 0);
    CHECK_BUFFER(PUBLIC_JWKS, 0);
    CHECK_BUFFER(SUMMARY, 0);
    CHECK_BUFFER(ACCESS, donjon_issuer_bound(issuer, 3, 2));
    CHECK_BUFFER(REFRESH, donjon_issuer_bound(issuer, 3, 2));
    CHECK_BUFFER(SIGN, donjon_token_sign_bound(6, 7));
    CHECK_BUFFER(VERIFY, 0);
    CHECK_BUFFER(VERIFY_JWS, 0);
    CHECK_BUFFER(HEADER, 0);
    CHECK_BUFFER(MINT, donjon_purpose_tokens_bound(5, 3));
    donjon_purpose_tokens_free(tokens);
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void bounds_hold_and_do_not_wrap(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    CHECK(donjon_issuer_bound(issuer, SIZE_MAX, SIZE_MAX) >= donjon_issuer_bound(issuer, 1000, 1000));
    CHECK(donjon_token_sign_bound(SIZE_MAX, SIZE_MAX) >= donjon_token_sign_bound(10, 10));
    CHECK(donjon_purpose_tokens_bound(SIZE_MAX, SIZE_MAX) >= donjon_purpose_tokens_bound(10, 10));
    (void)donjon_issuer_bound(NULL, 1, 1);
    /* A subject of control characters is escaped to six bytes each; the bound has room for it. */
    char subject[201];
    memset(subject, 1, 200);
    subject[200] = 0;
    size_t bound = donjon_issuer_bound(issuer, 200, 0), len = 0;
    uint8_t *out = malloc(bound);
    CHECK_STATUS(donjon_issuer_access(issuer, TEXT(subject), NULL, 0, 0, DONJON_NEVER, NOW, out, bound, &len), DONJON_OK);
    CHECK(len <= bound);
    free(out);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void null_with_a_length_and_lengths_over_half_the_memory_are_refused(void) {
    donjon_keyring *keyring = new_keyring(), *made = NULL;
    donjon_issuer *issuer = new_issuer(keyring), *made_issuer = NULL;
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG), *made_verifier = NULL;
    donjon_purpose_tokens *tokens = NULL;
    CHECK_STATUS(donjon_purpose_tokens_new(keyring, &tokens), DONJON_OK);
    uint8_t state[DONJON_REFRESH_STATE_LEN], out[4096];
    CHECK_STATUS(donjon_refresh_begin(NOW * 1000, state), DONJON_OK);
    size_t len = 0;
    donjon_claims claims;
    donjon_jws info;
    donjon_refresh_verdict verdict;
    donjon_jwks_verdict jwks;
    const uint8_t *some = (const uint8_t *)"x";
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *b = BAD[i].bytes;
        size_t n = BAD[i].len;
#define REFUSED(call) CHECK_STATUS(call, DONJON_INVALID_ARGUMENT)
        REFUSED(donjon_keyring_generate(b, n, NOW, &made));
        REFUSED(donjon_keyring_from_jwks(b, n, &made));
        REFUSED(donjon_keyring_from_master(b, n, NULL, 0, &made));
        REFUSED(donjon_keyring_from_master(TEXT(MASTER), b, n, &made));
        REFUSED(donjon_keyring_from_secret(b, n, TEXT("HS256"), NULL, 0, &made));
        REFUSED(donjon_keyring_from_secret(some, 1, b, n, NULL, 0, &made));
        REFUSED(donjon_keyring_from_secret(some, 1, TEXT("HS256"), b, n, &made));
        REFUSED(donjon_keyring_from_pem(b, n, TEXT("EdDSA"), NULL, 0, &made));
        REFUSED(donjon_keyring_from_pem(some, 1, b, n, NULL, 0, &made));
        REFUSED(donjon_keyring_from_pem(some, 1, TEXT("EdDSA"), b, n, &made));
        REFUSED(donjon_keyring_import(keyring, b, n, &made));
        REFUSED(donjon_keyring_rotate(keyring, b, n, NULL, 0, NOW, 0, &made));
        REFUSED(donjon_keyring_rotate(keyring, TEXT("token"), b, n, NOW, 0, &made));
        REFUSED(donjon_keyring_set_status(keyring, b, n, TEXT("active"), NOW, &made));
        REFUSED(donjon_keyring_set_status(keyring, some, 1, b, n, NOW, &made));
        REFUSED(donjon_issuer_new(keyring, b, n, &made_issuer));
        REFUSED(donjon_issuer_access(issuer, b, n, NULL, 0, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
        REFUSED(donjon_issuer_access(issuer, some, 1, b, n, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
        REFUSED(donjon_issuer_refresh(issuer, b, n, some, 1, NULL, 0, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
        REFUSED(donjon_issuer_refresh(issuer, state, sizeof state, b, n, NULL, 0, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
        REFUSED(donjon_issuer_refresh(issuer, state, sizeof state, some, 1, b, n, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
        REFUSED(donjon_token_sign(keyring, b, n, NULL, 0, TEXT("{}"), out, sizeof out, &len));
        REFUSED(donjon_token_sign(keyring, NULL, 0, b, n, TEXT("{}"), out, sizeof out, &len));
        REFUSED(donjon_token_sign(keyring, NULL, 0, NULL, 0, b, n, out, sizeof out, &len));
        REFUSED(donjon_verifier_new(keyring, b, n, &made_verifier));
        REFUSED(donjon_verifier_verify(verifier, b, n, NOW, &claims, out, sizeof out, &len));
        REFUSED(donjon_jws_verify(keyring, b, n, some, 1, NOW, &info, out, sizeof out, &len));
        REFUSED(donjon_jws_verify(keyring, TEXT("[\"EdDSA\"]"), b, n, NOW, &info, out, sizeof out, &len));
        REFUSED(donjon_jws_unverified_header(b, n, out, sizeof out, &len));
        REFUSED(donjon_refresh_rotate(b, n, some, 1, 0, NOW, 0, &verdict));
        REFUSED(donjon_refresh_rotate(state, sizeof state, b, n, 0, NOW, 0, &verdict));
        REFUSED(donjon_refresh_revoke(b, n, state));
        REFUSED(donjon_jwks_refresh(b, n, DONJON_JWKS_PERIODIC, NOW, 1, 1, &jwks));
        REFUSED(donjon_purpose_tokens_mint(tokens, b, n, some, 1, some, 1, 60, NOW, out, sizeof out, &len));
        REFUSED(donjon_purpose_tokens_mint(tokens, TEXT("reset"), b, n, some, 1, 60, NOW, out, sizeof out, &len));
        REFUSED(donjon_purpose_tokens_mint(tokens, TEXT("reset"), some, 1, b, n, 60, NOW, out, sizeof out, &len));
        REFUSED(donjon_purpose_tokens_check(tokens, b, n, some, 1, some, 1, some, 1, NOW));
        REFUSED(donjon_purpose_tokens_check(tokens, TEXT("reset"), b, n, some, 1, some, 1, NOW));
        REFUSED(donjon_purpose_tokens_check(tokens, TEXT("reset"), some, 1, b, n, some, 1, NOW));
        REFUSED(donjon_purpose_tokens_check(tokens, TEXT("reset"), some, 1, some, 1, b, n, NOW));
    }
    CHECK(made == NULL && made_issuer == NULL && made_verifier == NULL);

    /* Handles and outputs that are NULL. */
    REFUSED(donjon_keyring_generate(NULL, 0, NOW, NULL));
    REFUSED(donjon_keyring_from_jwks(TEXT("{\"keys\":[]}"), NULL));
    REFUSED(donjon_keyring_from_master(TEXT(MASTER), NULL, 0, NULL));
    REFUSED(donjon_keyring_import(NULL, TEXT("{}"), &made));
    REFUSED(donjon_keyring_rotate(NULL, TEXT("token"), NULL, 0, NOW, 0, &made));
    REFUSED(donjon_keyring_rotate(keyring, TEXT("token"), NULL, 0, NOW, 0, NULL));
    REFUSED(donjon_keyring_set_status(NULL, some, 1, TEXT("active"), NOW, &made));
    REFUSED(donjon_keyring_to_jwks(NULL, out, sizeof out, &len));
    REFUSED(donjon_keyring_public_jwks(NULL, NOW, out, sizeof out, &len));
    REFUSED(donjon_keyring_summary(NULL, out, sizeof out, &len));
    REFUSED(donjon_issuer_new(NULL, TEXT(ISSUER_CONFIG), &made_issuer));
    REFUSED(donjon_issuer_new(keyring, TEXT(ISSUER_CONFIG), NULL));
    REFUSED(donjon_issuer_access(NULL, some, 1, NULL, 0, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
    REFUSED(donjon_issuer_refresh(NULL, state, sizeof state, some, 1, NULL, 0, 0, DONJON_NEVER, NOW, out, sizeof out, &len));
    REFUSED(donjon_token_sign(NULL, NULL, 0, NULL, 0, TEXT("{}"), out, sizeof out, &len));
    REFUSED(donjon_verifier_new(NULL, TEXT(VERIFIER_CONFIG), &made_verifier));
    REFUSED(donjon_verifier_new(keyring, TEXT(VERIFIER_CONFIG), NULL));
    REFUSED(donjon_verifier_verify(NULL, some, 1, NOW, &claims, out, sizeof out, &len));
    REFUSED(donjon_verifier_verify(verifier, some, 1, NOW, NULL, out, sizeof out, &len));
    REFUSED(donjon_jws_verify(NULL, TEXT("[\"EdDSA\"]"), some, 1, NOW, &info, out, sizeof out, &len));
    REFUSED(donjon_jws_verify(keyring, TEXT("[\"EdDSA\"]"), some, 1, NOW, NULL, out, sizeof out, &len));
    REFUSED(donjon_refresh_begin(NOW, NULL));
    REFUSED(donjon_refresh_rotate(state, sizeof state, some, 1, 0, NOW, 0, NULL));
    REFUSED(donjon_refresh_revoke(state, sizeof state, NULL));
    REFUSED(donjon_jwks_refresh(NULL, 0, DONJON_JWKS_PERIODIC, NOW, 1, 1, NULL));
    REFUSED(donjon_purpose_tokens_new(NULL, &tokens));
    REFUSED(donjon_purpose_tokens_new(keyring, NULL));
    REFUSED(donjon_purpose_tokens_mint(NULL, TEXT("reset"), some, 1, some, 1, 60, NOW, out, sizeof out, &len));
    REFUSED(donjon_purpose_tokens_check(NULL, TEXT("reset"), some, 1, some, 1, some, 1, NOW));
    donjon_purpose_tokens_free(tokens);
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
}

static void empty_inputs_are_inputs(void) {
    donjon_keyring *keyring = new_keyring(), *made = NULL;
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    donjon_claims claims;
    uint8_t out[64];
    size_t len = 0;
    CHECK_STATUS(donjon_verifier_verify(verifier, NULL, 0, NOW, &claims, out, sizeof out, &len), DONJON_MALFORMED);
    CHECK_STATUS(donjon_verifier_verify(verifier, (const uint8_t *)"", 0, NOW, &claims, out, sizeof out, &len), DONJON_MALFORMED);
    CHECK_STATUS(donjon_keyring_from_jwks(NULL, 0, &made), DONJON_CONFIG_ERROR);
    CHECK_STATUS(donjon_jws_unverified_header(NULL, 0, out, sizeof out, &len), DONJON_MALFORMED);
    CHECK(made == NULL);
    donjon_verifier_free(verifier);
    donjon_keyring_free(keyring);
}

static void handles_outlive_the_keyring_they_were_made_from(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_issuer *issuer = new_issuer(keyring);
    donjon_verifier *verifier = new_verifier(keyring, VERIFIER_CONFIG);
    donjon_keyring_free(keyring);
    uint8_t token[2048], out[4096];
    size_t len = access_token(issuer, "", token, sizeof token), out_len = 0;
    donjon_issuer_free(issuer);
    donjon_claims claims;
    CHECK_STATUS(donjon_verifier_verify(verifier, token, len, NOW, &claims, out, sizeof out, &out_len), DONJON_OK);
    donjon_verifier_free(verifier);
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 200 };

static struct {
    donjon_issuer *issuer;
    donjon_verifier *verifier;
    donjon_keyring *keyring;
} shared;

static void *work(void *failures) {
    uint8_t token[2048], out[4096];
    for (int i = 0; i < ROUNDS; i++) {
        size_t len = 0, out_len = 0;
        donjon_claims claims;
        int32_t made = donjon_issuer_access(shared.issuer, TEXT("ann"), NULL, 0, 0, DONJON_NEVER, NOW, token, sizeof token, &len);
        int32_t held = donjon_verifier_verify(shared.verifier, token, len, NOW, &claims, out, sizeof out, &out_len);
        int32_t listed = donjon_keyring_public_jwks(shared.keyring, NOW, out, sizeof out, &out_len);
        token[len / 2] ^= 1;
        int32_t forged = donjon_verifier_verify(shared.verifier, token, len, NOW, &claims, out, sizeof out, &out_len);
        if (made != DONJON_OK || held != DONJON_OK || listed != DONJON_OK || forged == DONJON_OK) {
            ++*(int *)failures;
        }
    }
    return NULL;
}

static void threads_share_handles(void) {
    shared.keyring = new_keyring();
    shared.issuer = new_issuer(shared.keyring);
    shared.verifier = new_verifier(shared.keyring, VERIFIER_CONFIG);
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, work, &failures[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    donjon_verifier_free(shared.verifier);
    donjon_issuer_free(shared.issuer);
    donjon_keyring_free(shared.keyring);
}

#include "test_passwords.h"
#include "test_roles.h"
#include "test_envelopes.h"
/* After those: it diagnoses what they have. */
#include "test_diagnoses.h"
#include "test_limits.h"
#include "test_sessions.h"

int main(void) {
    RUN(the_version_is_this_header_s);
    RUN(every_status_has_its_pinned_name);
    RUN(structs_have_their_pinned_layout);
    RUN(every_free_takes_null);
    RUN(keyrings_come_from_every_source);
    RUN(a_keyring_survives_its_own_text);
    RUN(the_public_set_and_the_summary_hold_no_secret);
    RUN(rotation_keeps_old_tokens_alive_until_the_overlap_ends);
    RUN(a_status_changes_what_a_key_verifies);
    RUN(a_derived_key_is_disabled_but_not_destroyed);
    RUN(one_more_key_is_imported);
    RUN(an_access_token_says_what_it_was_given);
    RUN(an_escaped_subject_is_decoded_behind_the_claims);
    RUN(every_token_has_an_id_of_its_own);
    RUN(logging_out_everywhere_stamps_the_next_token_later);
    RUN(a_forged_token_leaves_nothing_in_the_claims);
    RUN(mints_refuse_what_verifiers_refuse);
    RUN(configurations_must_say_what_they_expect);
    RUN(an_issuer_wants_a_primary_key);
    RUN(a_bare_jws_is_verified);
    RUN(a_family_rotates_and_reuse_ends_it);
    RUN(a_state_that_is_none_is_refused);
    RUN(revocation_is_decided);
    RUN(unknown_keys_cause_no_refresh_storm);
    RUN(a_purpose_token_dies_with_its_state);
    RUN(small_buffers_get_the_length_and_nothing_else);
    RUN(bounds_hold_and_do_not_wrap);
    RUN(null_with_a_length_and_lengths_over_half_the_memory_are_refused);
    RUN(empty_inputs_are_inputs);
    RUN(handles_outlive_the_keyring_they_were_made_from);
    RUN(threads_share_handles);
    run_passwords();
    run_roles();
    run_envelopes();
    RUN(refusals_say_where_and_why);
    run_limits();
    run_sessions();
    return finish("the C ABI");
}
