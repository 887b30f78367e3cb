/* Roles and permissions through the C ABI, and what a hostile caller gets, for test_donjon.c. */

static const char POLICY[] =
    "{\"permissions\":[\"document:create\",\"document:read:{id}\",\"document:delete\",\"payment:approve\"],"
    "\"roles\":{\"viewer\":{\"allow\":[\"document:read\"]},\"editor\":{\"inherits\":[\"viewer\"],\"allow\":[\"document:*\"],"
    "\"deny\":[\"document:delete\"]},\"payer\":{},\"approver\":{\"allow\":[\"payment:approve\"]},\"admin\":{\"allow\":[\"*\"]}},"
    "\"constraints\":{\"static_separation\":[{\"roles\":[\"payer\",\"approver\"],\"at_most\":1}],"
    "\"cardinality\":[{\"role\":\"admin\",\"at_most\":1}]}}";

static donjon_policy *new_policy(const char *document) {
    donjon_policy *policy = NULL;
    CHECK_STATUS(donjon_policy_new(TEXT(document), &policy), DONJON_OK);
    CHECK(policy != NULL);
    return policy;
}

static donjon_subject *new_subject(const donjon_policy *policy, const char *roles, const char *tenant, const char *permissions) {
    donjon_subject *subject = NULL;
    CHECK_STATUS(donjon_subject_new(policy, TEXT(roles), TEXT(tenant), TEXT(permissions), &subject), DONJON_OK);
    return subject;
}

/* Whether `view` wrote exactly this. */
#define SAYS(view, text) \
    do { \
        static uint8_t said[8192]; \
        size_t said_len = 0; \
        CHECK_STATUS(view(said, sizeof said, &said_len), DONJON_OK); \
        CHECK(said_len == strlen(text) && memcmp(said, text, said_len) == 0); \
    } while (0)

static void roles_decide(void) {
    donjon_policy *policy = new_policy(POLICY);
    donjon_subject *editor = new_subject(policy, "[\"editor\",\"ghost\",\"admin@acme\"]", "", "");
    donjon_subject *narrowed = new_subject(policy, "[\"editor\"]", "", "[\"document:read\"]");
    donjon_subject *nobody = new_subject(policy, "[\"editor\"]", "", "[]");
    donjon_subject *tenant = new_subject(policy, "[\"viewer\",\"admin@acme\"]", "acme", "");
    /* Subjects outlive the handle of their policy. */
    donjon_policy_free(policy);
    CHECK_STATUS(donjon_subject_has(editor, TEXT("document:read"), NULL, 0), DONJON_OK);
    CHECK_STATUS(donjon_subject_has(editor, TEXT("document:read"), TEXT("42")), DONJON_OK);
    CHECK_STATUS(donjon_subject_has(editor, TEXT("document:delete"), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(editor, TEXT("payment:approve"), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(editor, TEXT("document:fly"), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(editor, NULL, 0, NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has_role(editor, TEXT("viewer")), DONJON_OK);
    CHECK_STATUS(donjon_subject_has_role(editor, TEXT("admin")), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has_role(editor, TEXT("ghost")), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(narrowed, TEXT("document:read"), NULL, 0), DONJON_OK);
    CHECK_STATUS(donjon_subject_has(narrowed, TEXT("document:create"), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(nobody, TEXT("document:read"), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(tenant, TEXT("payment:approve"), NULL, 0), DONJON_OK);
    const char *two = "[\"document:delete\",\"document:read\"]";
    CHECK_STATUS(donjon_subject_check(editor, DONJON_ANY, TEXT(two), NULL, 0), DONJON_OK);
    CHECK_STATUS(donjon_subject_check(editor, DONJON_ALL, TEXT(two), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_check(editor, DONJON_ANY, TEXT("[]"), NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_check(editor, DONJON_ALL, TEXT("[]"), NULL, 0), DONJON_INVALID_ARGUMENT);
#define WHAT_CAN(out, cap, len) donjon_subject_permissions(editor, out, cap, len)
#define WHY(out, cap, len) donjon_subject_explain(editor, DONJON_ALL, TEXT("[\"document:delete\"]"), NULL, 0, out, cap, len)
    SAYS(WHAT_CAN, "[\"document:create\",\"document:read\"]");
    SAYS(WHY, "{\"allowed\":false,\"mode\":\"all\",\"reason\":\"denied\",\"permissions\":[{\"permission\":\"document:delete\",\"allowed\":false,"
              "\"reason\":\"denied\",\"grants\":[{\"role\":\"editor\",\"via\":[\"editor\"],\"grant\":\"document:*\"}],"
              "\"denies\":[{\"role\":\"editor\",\"via\":[\"editor\"],\"grant\":\"document:delete\"}]}],\"unknown_roles\":[\"ghost\"]}");
    CHECK_BUFFER(WHAT_CAN, 0);
    CHECK_BUFFER(WHY, 0);
    donjon_subject_free(tenant);
    donjon_subject_free(nobody);
    donjon_subject_free(narrowed);
    donjon_subject_free(editor);
}

static void instances_are_a_client_s_text(void) {
    donjon_policy *policy = new_policy(POLICY);
    donjon_subject *admin = new_subject(policy, "[\"admin\"]", "", "");
    static const struct {
        const char *bytes;
        size_t len;
    } BAD[] = {
        {"*", 1}, {"42,43", 5}, {"42:43", 5}, {":", 1}, {"4 2", 3}, {"42\n", 3}, {"42\0", 3}, {"\0", 1}, {"4\0" "2", 3}, {"\x7f", 1}, {"\xff", 1},
        {"\xc3", 1}, {"\xed\xa0\x80", 3}, {"\xc0\xaf", 2}, {"{id}", 4}, {"\xc2\xa0", 2}, {"\xe2\x80\xa8", 3},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *bytes = (const uint8_t *)BAD[i].bytes;
        CHECK_STATUS(donjon_subject_has(admin, TEXT("document:read"), bytes, BAD[i].len), DONJON_PERMISSION_DENIED);
        CHECK_STATUS(donjon_subject_check(admin, DONJON_ALL, TEXT("[\"document:read\"]"), bytes, BAD[i].len), DONJON_PERMISSION_DENIED);
        CHECK_STATUS(donjon_subject_check(admin, DONJON_ANY, TEXT("[\"document:read\"]"), bytes, BAD[i].len), DONJON_PERMISSION_DENIED);
    }
    static uint8_t long_one[1 << 20];
    memset(long_one, 'x', sizeof long_one);
    CHECK_STATUS(donjon_subject_has(admin, TEXT("document:read"), long_one, sizeof long_one), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_subject_has(admin, long_one, sizeof long_one, NULL, 0), DONJON_PERMISSION_DENIED);
    memset(long_one, ':', sizeof long_one);
    CHECK_STATUS(donjon_subject_has(admin, long_one, sizeof long_one, NULL, 0), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_permission_implies(TEXT("*"), long_one, sizeof long_one), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_permission_implies(long_one, sizeof long_one, TEXT("a")), DONJON_MALFORMED);
    CHECK_STATUS(donjon_subject_has(admin, TEXT("document:read"), TEXT("../%2A")), DONJON_OK);
    donjon_subject_free(admin);
    donjon_policy_free(policy);
}

static void separation_of_duty_is_kept(void) {
    donjon_policy *policy = new_policy(POLICY);
    donjon_subject *subject = NULL;
    const char *both = "[\"payer\",\"approver\"]";
    CHECK_STATUS(donjon_subject_new(policy, TEXT(both), NULL, 0, NULL, 0, &subject), DONJON_SEPARATION_OF_DUTY);
    CHECK(subject == NULL);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[\"payer\"]"), TEXT("approver"), 0), DONJON_SEPARATION_OF_DUTY);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[\"payer@acme\"]"), TEXT("approver@beta"), 0), DONJON_OK);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[]"), TEXT("admin"), 0), DONJON_OK);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[]"), TEXT("admin"), 1), DONJON_CARDINALITY_EXCEEDED);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[]"), TEXT("admin"), UINT64_MAX), DONJON_CARDINALITY_EXCEEDED);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[\"admin\"]"), TEXT("admin"), 1), DONJON_OK);
    CHECK_STATUS(donjon_policy_assign(policy, TEXT("[]"), TEXT("ghost"), 0), DONJON_UNKNOWN_ROLE);
    donjon_policy_free(policy);
}

static void a_policy_says_what_it_is(void) {
    donjon_policy *policy = new_policy(POLICY), *again = NULL, *shipped = NULL;
    static uint8_t document[16384];
    uint8_t digest[32], other[32];
    size_t len = 0, digest_len = 0;
    CHECK_STATUS(donjon_policy_document(policy, document, sizeof document, &len), DONJON_OK);
    CHECK_STATUS(donjon_policy_new(document, len, &again), DONJON_OK);
    CHECK_STATUS(donjon_policy_digest(policy, digest, sizeof digest, &digest_len), DONJON_OK);
    CHECK(digest_len == sizeof digest);
    CHECK_STATUS(donjon_policy_digest(again, other, sizeof other, &digest_len), DONJON_OK);
    CHECK(memcmp(digest, other, sizeof digest) == 0);
#define WHO_CAN(out, cap, len) donjon_policy_who_can(policy, TEXT("document:read"), out, cap, len)
#define DIAGNOSIS(out, cap, len) donjon_policy_diagnose(TEXT("{\"permissions\":[],\"roles\":{\"r\":{\"allow\":[\"a\"]}}}"), out, cap, len)
#define SHIPPED(out, cap, len) donjon_policy_shipped(TEXT("deepinsight"), out, cap, len)
#define SCHEMA(out, cap, len) donjon_policy_schema(out, cap, len)
#define CASBIN(out, cap, len) donjon_policy_import_casbin(TEXT("p, r, a, b\ng, ann, r"), out, cap, len)
#define DOCUMENT(out, cap, len) donjon_policy_document(policy, out, cap, len)
#define DIGEST(out, cap, len) donjon_policy_digest(policy, out, cap, len)
#define MATRIX(out, cap, len) donjon_policy_matrix(policy, DONJON_MATRIX_JSON, out, cap, len)
#define MARKDOWN(out, cap, len) donjon_policy_matrix(policy, DONJON_MATRIX_MARKDOWN, out, cap, len)
#define HTML(out, cap, len) donjon_policy_matrix(policy, DONJON_MATRIX_HTML, out, cap, len)
#define DIFF(out, cap, len) donjon_policy_diff(policy, again, out, cap, len)
#define LINT(out, cap, len) donjon_policy_lint(policy, out, cap, len)
    SAYS(WHO_CAN, "[\"admin\",\"editor\",\"viewer\"]");
    SAYS(CASBIN, "{\"policy\":{\"permissions\":[\"a:b\"],\"roles\":{\"r\":{\"allow\":[\"a:b\"]}}},\"assignments\":{\"ann\":[\"r\"]}}");
    SAYS(DIFF, "{\"roles\":{\"added\":[],\"removed\":[],\"changed\":{}},\"permissions\":{\"added\":[],\"removed\":[]},"
               "\"constraints\":{\"added\":[],\"removed\":[]}}");
    CHECK_BUFFER(WHO_CAN, 0);
    CHECK_BUFFER(DIAGNOSIS, 0);
    CHECK_BUFFER(SHIPPED, 0);
    CHECK_BUFFER(SCHEMA, 0);
    CHECK_BUFFER(CASBIN, 0);
    CHECK_BUFFER(DOCUMENT, 0);
    CHECK_BUFFER(DIGEST, 32);
    CHECK_BUFFER(MATRIX, 0);
    CHECK_BUFFER(MARKDOWN, 0);
    CHECK_BUFFER(HTML, 0);
    CHECK_BUFFER(DIFF, 0);
    CHECK_BUFFER(LINT, 0);
    CHECK_STATUS(donjon_policy_shipped(TEXT("session-cluster"), document, sizeof document, &len), DONJON_OK);
    CHECK_STATUS(donjon_policy_new(document, len, &shipped), DONJON_OK);
    CHECK_STATUS(donjon_policy_shipped(TEXT("nothing"), document, sizeof document, &len), DONJON_INVALID_ARGUMENT);
    CHECK_STATUS(donjon_policy_check_permission(policy, TEXT("document:read:{id}")), DONJON_OK);
    CHECK_STATUS(donjon_policy_check_permission(policy, TEXT("document:fly")), DONJON_UNKNOWN_PERMISSION);
    CHECK_STATUS(donjon_policy_check_permission(policy, TEXT("doc*")), DONJON_MALFORMED);
    CHECK_STATUS(donjon_policy_check_role(policy, TEXT("viewer")), DONJON_OK);
    CHECK_STATUS(donjon_policy_check_role(policy, TEXT("Viewer")), DONJON_UNKNOWN_ROLE);
    CHECK_STATUS(donjon_permission_implies(TEXT("document"), TEXT("document:read")), DONJON_OK);
    CHECK_STATUS(donjon_permission_implies(TEXT("document:read"), TEXT("document")), DONJON_PERMISSION_DENIED);
    CHECK_STATUS(donjon_permission_implies(TEXT("doc*"), TEXT("document")), DONJON_MALFORMED);
    CHECK_STATUS(donjon_permission_implies(TEXT("*"), TEXT("doc*")), DONJON_PERMISSION_DENIED);
    donjon_policy_free(shipped);
    donjon_policy_free(again);
    donjon_policy_free(policy);
}

/* ---- documents without end ---- */

typedef struct {
    char *text;
    size_t len, room;
} builder;

static void add(builder *b, const char *text) {
    size_t len = strlen(text);
    if (b->len + len + 1 > b->room) {
        b->room = 2 * (b->len + len + 1);
        b->text = realloc(b->text, b->room);
    }
    memcpy(b->text + b->len, text, len + 1);
    b->len += len;
}

static int32_t loaded(const builder *b) {
    donjon_policy *policy = NULL;
    int32_t status = donjon_policy_new((const uint8_t *)b->text, b->len, &policy);
    CHECK((status == DONJON_OK) == (policy != NULL));
    donjon_policy_free(policy);
    return status;
}

static builder many_roles(int count, const char *one) {
    builder b = {NULL, 0, 0};
    add(&b, "{\"permissions\":[\"a:b\"],\"roles\":{");
    for (int i = 0; i < count; i++) {
        char role[128];
        snprintf(role, sizeof role, one, i == 0 ? "" : ",", i, i + 1);
        add(&b, role);
    }
    add(&b, "}}");
    return b;
}

static void documents_without_end_load_or_are_refused(void) {
    double start = seconds();
    builder b = many_roles(20000, "%s\"r%d\":{\"allow\":[\"a:b\"]}");
    CHECK_STATUS(loaded(&b), DONJON_OK);
    free(b.text);
    b = many_roles(131073, "%s\"r%d\":{}");
    CHECK_STATUS(loaded(&b), DONJON_TOO_LARGE);
    free(b.text);
    /* Each inherits the next, and the last one the first. */
    b = many_roles(10000, "%s\"r%d\":{\"inherits\":[\"r%d\"]}");
    b.len -= 2;
    add(&b, ",\"r10000\":{}}}");
    CHECK_STATUS(loaded(&b), DONJON_CONFIG_ERROR);
    b.len -= strlen("{}}}");
    add(&b, "{\"inherits\":[\"r0\"]}}}");
    CHECK_STATUS(loaded(&b), DONJON_CONFIG_ERROR);
    free(b.text);
    /* A name, and a permission, of a megabyte. */
    char *long_one = malloc((1 << 20) + 1);
    memset(long_one, 'x', 1 << 20);
    long_one[1 << 20] = 0;
    static const char *const AROUND[][2] = {
        {"{\"permissions\":[],\"roles\":{\"", "\":{}}}"},
        {"{\"permissions\":[\"", "\"],\"roles\":{}}"},
        {"{\"permissions\":[\"a:b\"],\"roles\":{\"r\":{\"allow\":[\"", "\"]}}}"},
        {"{\"permissions\":[\"a:b\"],\"roles\":{\"r\":{\"inherits\":[\"", "\"]}}}"},
        {"{\"permissions\":[],\"roles\":{},\"", "\":1}"},
    };
    for (size_t i = 0; i < sizeof AROUND / sizeof *AROUND; i++) {
        b = (builder){NULL, 0, 0};
        add(&b, AROUND[i][0]);
        add(&b, long_one);
        add(&b, AROUND[i][1]);
        CHECK_STATUS(loaded(&b), DONJON_CONFIG_ERROR);
        /* Nor does the diagnosis repeat it. */
        static uint8_t said[16384];
        size_t len = 0;
        CHECK_STATUS(donjon_policy_diagnose((uint8_t *)b.text, b.len, said, sizeof said, &len), DONJON_OK);
        free(b.text);
    }
    free(long_one);
    /* Brackets, over the document's greatest length. */
    size_t size = (16u << 20) + 1;
    uint8_t *brackets = malloc(size);
    memset(brackets, '[', size);
    donjon_policy *policy = NULL;
    CHECK_STATUS(donjon_policy_new(brackets, size, &policy), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_policy_new(brackets, 1 << 20, &policy), DONJON_MALFORMED);
    free(brackets);
    CHECK(policy == NULL);
    CHECK(seconds() - start < 60);
}

static builder many_texts(int count) {
    builder b = {NULL, 0, 0};
    add(&b, "[");
    for (int i = 0; i < count; i++) {
        add(&b, i == 0 ? "\"viewer\"" : ",\"viewer\"");
    }
    add(&b, "]");
    return b;
}

static void hostile_callers_of_roles_are_refused(void) {
    donjon_policy *policy = new_policy(POLICY), *made = NULL;
    donjon_subject *subject = new_subject(policy, "[\"viewer\"]", "", ""), *made_subject = NULL;
    static uint8_t out[16384];
    size_t len = 0;
    const uint8_t *some = (const uint8_t *)"x";
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } BAD[] = {{NULL, 1}, {NULL, BIG}, {(const uint8_t *)"x", BIG}, {(const uint8_t *)"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const uint8_t *b = BAD[i].bytes;
        size_t n = BAD[i].len;
        REFUSED(donjon_permission_implies(b, n, some, 1));
        REFUSED(donjon_permission_implies(some, 1, b, n));
        REFUSED(donjon_policy_new(b, n, &made));
        REFUSED(donjon_policy_diagnose(b, n, out, sizeof out, &len));
        REFUSED(donjon_policy_shipped(b, n, out, sizeof out, &len));
        REFUSED(donjon_policy_import_casbin(b, n, out, sizeof out, &len));
        REFUSED(donjon_policy_check_permission(policy, b, n));
        REFUSED(donjon_policy_check_role(policy, b, n));
        REFUSED(donjon_policy_assign(policy, b, n, some, 1, 0));
        REFUSED(donjon_policy_assign(policy, TEXT("[]"), b, n, 0));
        REFUSED(donjon_policy_who_can(policy, b, n, out, sizeof out, &len));
        REFUSED(donjon_policy_document(policy, out, BIG, &len));
        REFUSED(donjon_subject_new(policy, b, n, NULL, 0, NULL, 0, &made_subject));
        REFUSED(donjon_subject_new(policy, TEXT("[]"), b, n, NULL, 0, &made_subject));
        REFUSED(donjon_subject_new(policy, TEXT("[]"), NULL, 0, b, n, &made_subject));
        REFUSED(donjon_subject_has(subject, b, n, NULL, 0));
        REFUSED(donjon_subject_has(subject, some, 1, b, n));
        REFUSED(donjon_subject_has_role(subject, b, n));
        REFUSED(donjon_subject_check(subject, DONJON_ANY, b, n, NULL, 0));
        REFUSED(donjon_subject_check(subject, DONJON_ANY, TEXT("[\"a\"]"), b, n));
        REFUSED(donjon_subject_explain(subject, DONJON_ANY, b, n, NULL, 0, out, sizeof out, &len));
        REFUSED(donjon_subject_explain(subject, DONJON_ANY, TEXT("[\"a\"]"), b, n, out, sizeof out, &len));
    }
    REFUSED(donjon_policy_new(TEXT(POLICY), NULL));
    REFUSED(donjon_policy_schema(out, sizeof out, NULL));
    REFUSED(donjon_policy_schema(NULL, sizeof out, &len));
    REFUSED(donjon_policy_document(NULL, out, sizeof out, &len));
    REFUSED(donjon_policy_digest(NULL, out, sizeof out, &len));
    REFUSED(donjon_policy_check_permission(NULL, some, 1));
    REFUSED(donjon_policy_check_role(NULL, some, 1));
    REFUSED(donjon_policy_assign(NULL, TEXT("[]"), some, 1, 0));
    REFUSED(donjon_policy_who_can(NULL, some, 1, out, sizeof out, &len));
    REFUSED(donjon_policy_matrix(NULL, DONJON_MATRIX_JSON, out, sizeof out, &len));
    REFUSED(donjon_policy_diff(NULL, policy, out, sizeof out, &len));
    REFUSED(donjon_policy_diff(policy, NULL, out, sizeof out, &len));
    REFUSED(donjon_policy_lint(NULL, out, sizeof out, &len));
    REFUSED(donjon_subject_new(NULL, TEXT("[]"), NULL, 0, NULL, 0, &made_subject));
    REFUSED(donjon_subject_new(policy, TEXT("[]"), NULL, 0, NULL, 0, NULL));
    REFUSED(donjon_subject_has(NULL, some, 1, NULL, 0));
    REFUSED(donjon_subject_has_role(NULL, some, 1));
    REFUSED(donjon_subject_check(NULL, DONJON_ANY, TEXT("[]"), NULL, 0));
    REFUSED(donjon_subject_explain(NULL, DONJON_ANY, TEXT("[]"), NULL, 0, out, sizeof out, &len));
    REFUSED(donjon_subject_permissions(NULL, out, sizeof out, &len));
    donjon_policy_free(NULL);
    donjon_subject_free(NULL);

    static const uint32_t STRANGERS[] = {3, 4, 255, UINT32_MAX};
    for (size_t i = 0; i < sizeof STRANGERS / sizeof *STRANGERS; i++) {
        REFUSED(donjon_policy_matrix(policy, STRANGERS[i], out, sizeof out, &len));
        REFUSED(donjon_subject_check(subject, STRANGERS[i], TEXT("[\"document:read\"]"), NULL, 0));
        REFUSED(donjon_subject_explain(subject, STRANGERS[i], TEXT("[\"document:read\"]"), NULL, 0, out, sizeof out, &len));
    }
    REFUSED(donjon_subject_check(subject, 0, TEXT("[\"document:read\"]"), NULL, 0));
    static const char *const TENANTS[] = {"a@b", "a b", "a\n", "@"};
    for (size_t i = 0; i < sizeof TENANTS / sizeof *TENANTS; i++) {
        REFUSED(donjon_subject_new(policy, TEXT("[\"viewer\"]"), TEXT(TENANTS[i]), NULL, 0, &made_subject));
    }
    REFUSED(donjon_subject_new(policy, TEXT("[\"viewer\"]"), (const uint8_t *)"a\0b", 3, NULL, 0, &made_subject));

    static const char *const LISTS[] = {"", "{}", "[1]", "[null]", "[\"a\"", "[\"a\",]", "\"viewer\"", "[[\"viewer\"]]", "[\"\\ud800\"]", "null", "viewer"};
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) {
        CHECK_STATUS(donjon_subject_new(policy, TEXT(LISTS[i]), NULL, 0, NULL, 0, &made_subject), DONJON_MALFORMED);
        CHECK_STATUS(donjon_policy_assign(policy, TEXT(LISTS[i]), TEXT("viewer"), 0), DONJON_MALFORMED);
        CHECK_STATUS(donjon_subject_check(subject, DONJON_ANY, TEXT(LISTS[i]), NULL, 0), DONJON_MALFORMED);
        CHECK_STATUS(donjon_subject_explain(subject, DONJON_ANY, TEXT(LISTS[i]), NULL, 0, out, sizeof out, &len), DONJON_MALFORMED);
        if (i > 0) {
            CHECK_STATUS(donjon_subject_new(policy, TEXT("[]"), NULL, 0, TEXT(LISTS[i]), &made_subject), DONJON_MALFORMED);
        }
    }
    builder b = many_texts(4097);
    CHECK_STATUS(donjon_subject_new(policy, (uint8_t *)b.text, b.len, NULL, 0, NULL, 0, &made_subject), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_subject_new(policy, TEXT("[]"), NULL, 0, (uint8_t *)b.text, b.len, &made_subject), DONJON_TOO_LARGE);
    free(b.text);
    b = many_texts(257);
    CHECK_STATUS(donjon_subject_check(subject, DONJON_ANY, (uint8_t *)b.text, b.len, NULL, 0), DONJON_TOO_LARGE);
    CHECK_STATUS(donjon_subject_explain(subject, DONJON_ANY, (uint8_t *)b.text, b.len, NULL, 0, out, sizeof out, &len), DONJON_TOO_LARGE);
    free(b.text);
    CHECK(made == NULL && made_subject == NULL);
    donjon_subject_free(subject);
    donjon_policy_free(policy);
}

/* ---- threads ---- */

static struct {
    donjon_policy *policy;
    donjon_subject *subject;
} common;

static void *decide_together(void *failures) {
    uint8_t out[2048];
    for (int i = 0; i < ROUNDS; i++) {
        size_t len = 0;
        donjon_subject *own = NULL;
        int32_t may = donjon_subject_has(common.subject, TEXT("document:read"), TEXT("42"));
        int32_t may_not = donjon_subject_has(common.subject, TEXT("document:delete"), NULL, 0);
        int32_t why = donjon_subject_explain(common.subject, DONJON_ALL, TEXT("[\"document:read\"]"), NULL, 0, out, sizeof out, &len);
        int32_t who = donjon_policy_who_can(common.policy, TEXT("document:*"), out, sizeof out, &len);
        int32_t new = donjon_subject_new(common.policy, TEXT("[\"admin\"]"), NULL, 0, NULL, 0, &own);
        int32_t all = donjon_subject_check(own, DONJON_ALL, TEXT("[\"document:delete\",\"payment:approve\"]"), NULL, 0);
        donjon_subject_free(own);
        if (may != DONJON_OK || may_not != DONJON_PERMISSION_DENIED || why != DONJON_OK || who != DONJON_OK || new != DONJON_OK || all != DONJON_OK) {
            ++*(int *)failures;
        }
    }
    return NULL;
}

static void threads_share_policies_and_subjects(void) {
    common.policy = new_policy(POLICY);
    common.subject = new_subject(common.policy, "[\"editor\"]", "", "");
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, decide_together, &failures[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(failures[i] == 0);
    }
    donjon_policy_free(common.policy);
    donjon_subject_free(common.subject);
}

static void run_roles(void) {
    RUN(roles_decide);
    RUN(instances_are_a_client_s_text);
    RUN(separation_of_duty_is_kept);
    RUN(a_policy_says_what_it_is);
    RUN(documents_without_end_load_or_are_refused);
    RUN(hostile_callers_of_roles_are_refused);
    RUN(threads_share_policies_and_subjects);
}
