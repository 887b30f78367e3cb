/* What a user writes first, built with nothing but `pkg-config --cflags --libs donjon`. */

#include <donjon.h>
#include <stdio.h>
#include <string.h>

#define TEXT(text) (const uint8_t *)(text), strlen(text)

int main(void) {
    donjon_keyring *keyring = NULL;
    donjon_issuer *issuer = NULL;
    donjon_verifier *verifier = NULL;
    donjon_claims claims;
    uint8_t token[2048], out[4096];
    size_t len = 0, out_len = 0;
    int32_t status = donjon_keyring_generate(NULL, 0, 0, &keyring);
    if (status == DONJON_OK) {
        status = donjon_issuer_new(keyring, TEXT("{\"issuer\":\"me\",\"audience\":\"you\"}"), &issuer);
    }
    if (status == DONJON_OK) {
        status = donjon_issuer_access(issuer, TEXT("ann"), NULL, 0, 0, DONJON_NEVER, 1000, token, sizeof token, &len);
    }
    if (status == DONJON_OK) {
        const char *config = "{\"issuer\":\"me\",\"audience\":\"you\",\"type\":\"at+jwt\",\"algorithms\":[\"EdDSA\"]}";
        status = donjon_verifier_new(keyring, TEXT(config), &verifier);
    }
    if (status == DONJON_OK) {
        status = donjon_verifier_verify(verifier, token, len, 1001, &claims, out, sizeof out, &out_len);
    }
    if (status == DONJON_OK) {
        printf("donjon %s: %.*s\n", donjon_version(), (int)claims.subject.length, (char *)out + claims.subject.offset);
    } else {
        fprintf(stderr, "donjon: %s\n", donjon_status_message(status));
    }
    donjon_verifier_free(verifier);
    donjon_issuer_free(issuer);
    donjon_keyring_free(keyring);
    return status;
}
