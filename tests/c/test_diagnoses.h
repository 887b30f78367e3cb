/* Why a document or a configuration is refused, for test_donjon.c. */

static const char WEAK_KEY[] =
    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"good\",\"alg\":\"HS256\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"},"
    "{\"kty\":\"oct\",\"kid\":\"weak-key\",\"alg\":\"HS256\",\"k\":\"c2VjcmV0LXdlYWs\"}]}";

static void refusals_say_where_and_why(void) {
    donjon_keyring *keyring = new_keyring();
    donjon_hasher *hasher = new_hasher(NULL, "{\"max_wait_ms\":0}");
    static uint8_t said[4096];
    size_t len = 0;
#define GOOD_KEYS(out, cap, len) donjon_keyring_diagnose(TEXT("{\"keys\":[]}"), out, cap, len)
#define GOOD_ISSUER(out, cap, len) donjon_issuer_diagnose(keyring, TEXT(ISSUER_CONFIG), out, cap, len)
#define GOOD_VERIFIER(out, cap, len) donjon_verifier_diagnose(keyring, TEXT(VERIFIER_CONFIG), out, cap, len)
#define GOOD_HASHER(out, cap, len) donjon_hasher_diagnose(NULL, NULL, 0, out, cap, len)
#define GOOD_POLICY(out, cap, len) donjon_policy_diagnose(TEXT(POLICY), out, cap, len)
#define BAD_KEYS(out, cap, len) donjon_keyring_diagnose(TEXT(WEAK_KEY), out, cap, len)
#define BAD_ISSUER(out, cap, len) donjon_issuer_diagnose(keyring, TEXT("{\"issuer\":1}"), out, cap, len)
#define BAD_VERIFIER(out, cap, len) donjon_verifier_diagnose(keyring, TEXT("{}"), out, cap, len)
#define BAD_HASHER(out, cap, len) donjon_hasher_diagnose(NULL, TEXT("{\"memory_kib\":8}"), out, cap, len)
#define NO_PEPPER(out, cap, len) donjon_hasher_diagnose(keyring, NULL, 0, out, cap, len)
#define BAD_POLICY(out, cap, len) donjon_policy_diagnose(TEXT("{\"permissions\":[],\"roles\":{\"r\":{\"allow\":[\"a\"]}}}"), out, cap, len)
    SAYS(GOOD_KEYS, "null");
    SAYS(GOOD_ISSUER, "null");
    SAYS(GOOD_VERIFIER, "null");
    SAYS(GOOD_HASHER, "null");
    SAYS(GOOD_POLICY, "null");
#define WHERE(view, where) \
    do { \
        CHECK_STATUS(view(said, sizeof said - 1, &len), DONJON_OK); \
        said[len] = 0; \
        const char *begins = "{\"error\":\"config_error\",\"path\":\"" where "\",\"message\":\""; \
        CHECK(strncmp((char *)said, begins, strlen(begins)) == 0 && len > strlen(begins) + strlen("\"}")); \
    } while (0)
    WHERE(BAD_KEYS, "keys[1]");
    /* It says nothing of the key itself. */
    CHECK(strstr((char *)said, "c2Vjc") == NULL && strstr((char *)said, "secret-weak") == NULL);
    WHERE(BAD_ISSUER, "");
    WHERE(BAD_VERIFIER, "");
    WHERE(BAD_HASHER, "");
    WHERE(NO_PEPPER, "");
    WHERE(BAD_POLICY, "roles.r.allow[0]");
    CHECK_BUFFER(GOOD_KEYS, 4);
    CHECK_BUFFER(BAD_KEYS, 0);
    CHECK_BUFFER(BAD_ISSUER, 0);
    CHECK_BUFFER(BAD_VERIFIER, 0);
    CHECK_BUFFER(BAD_HASHER, 0);
    CHECK_BUFFER(BAD_POLICY, 0);
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        REFUSED(donjon_keyring_diagnose(BAD[i].bytes, BAD[i].len, said, sizeof said, &len));
        REFUSED(donjon_issuer_diagnose(keyring, BAD[i].bytes, BAD[i].len, said, sizeof said, &len));
        REFUSED(donjon_verifier_diagnose(keyring, BAD[i].bytes, BAD[i].len, said, sizeof said, &len));
        REFUSED(donjon_hasher_diagnose(NULL, BAD[i].bytes, BAD[i].len, said, sizeof said, &len));
    }
    REFUSED(donjon_issuer_diagnose(NULL, TEXT(ISSUER_CONFIG), said, sizeof said, &len));
    REFUSED(donjon_verifier_diagnose(NULL, TEXT(VERIFIER_CONFIG), said, sizeof said, &len));
    REFUSED(donjon_hasher_diagnose(NULL, NULL, 0, said, sizeof said, NULL));
    REFUSED(donjon_keyring_diagnose(TEXT("{}"), NULL, 4096, &len));
    CHECK(donjon_hasher_max_wait_ms(hasher) == 0 && donjon_hasher_max_wait_ms(NULL) == 0);
    donjon_hasher_free(hasher);
    hasher = new_hasher(NULL, "");
    CHECK(donjon_hasher_max_wait_ms(hasher) == 10000);
    donjon_hasher_free(hasher);
    donjon_keyring_free(keyring);
}
