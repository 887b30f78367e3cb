// The header is C++ too: it compiles on its own, twice, and its functions have C linkage.
#include <donjon.h>
#include <donjon.h>

#include <type_traits>

static_assert(std::is_trivially_copyable<donjon_claims>::value && std::is_standard_layout<donjon_claims>::value, "plain");
static_assert(sizeof(donjon_span) == 8 && sizeof(donjon_claims) == 104 && sizeof(donjon_password_verdict) == 8, "pinned");

int main() {
    void (*const release)(donjon_keyring *) = donjon_keyring_free;
    release(nullptr);
    donjon_hasher_free(nullptr);
    donjon_policy_free(nullptr);
    donjon_subject_free(nullptr);
    return donjon_abi_version() == DONJON_ABI_VERSION ? 0 : 1;
}
