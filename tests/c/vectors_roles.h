/* The operations of roles and permissions, for vectors.c. */

static donjon_policy *policy_of(call *call, const char *name, int32_t *status) {
    donjon_policy *policy = NULL;
    slice document = member(call, name);
    *status = call->bad ? DONJON_OK : donjon_policy_new(document.bytes, document.len, &policy);
    return policy;
}

static void put_json(call *call, const char *name, const uint8_t *out, size_t len) {
    put(call, name, json_loadb((const char *)out, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
}

static int32_t permission_implies(call *call) {
    slice granted = text(call, "granted"), required = text(call, "required");
    int32_t status = donjon_permission_implies(granted.bytes, granted.len, required.bytes, required.len);
    put(call, "implies", json_boolean(status == DONJON_OK));
    return status == DONJON_PERMISSION_DENIED ? DONJON_OK : status;
}

/* The subject keeps its policy alive, so this lets go of it. */
static donjon_subject *subject_of(call *call, int32_t *status) {
    slice roles = member(call, "roles"), tenant = optional_text(call, "tenant"), token = NOTHING;
    json_t *permissions = json_object_get(call->request, "token_permissions");
    if (permissions != NULL && !json_is_null(permissions)) {
        token = raw(call, permissions);
    }
    donjon_policy *policy = policy_of(call, "policy", status);
    donjon_subject *subject = NULL;
    if (policy != NULL) {
        *status = donjon_subject_new(policy, roles.bytes, roles.len, tenant.bytes, tenant.len, token.bytes, token.len, &subject);
    }
    donjon_policy_free(policy);
    return subject;
}

typedef struct {
    uint32_t mode;
    int is_one;
    slice permissions, first, instance;
} question;

static question question_of(call *call) {
    slice mode = text(call, "mode");
    json_t *permissions = json_object_get(call->request, "permissions"), *first = json_array_get(permissions, 0);
    question question = {
        .mode = mode.len == 3 && memcmp(mode.bytes, "any", 3) == 0 ? DONJON_ANY : DONJON_ALL,
        .is_one = mode.len == 3 && memcmp(mode.bytes, "one", 3) == 0,
        .permissions = member(call, "permissions"),
        .instance = optional_text(call, "instance"),
    };
    if (json_array_size(permissions) == 1) {
        question.first = (slice){(const uint8_t *)json_string_value(first), json_string_length(first)};
    }
    return question;
}

static int32_t explain(const donjon_subject *subject, const question *asked, uint8_t *out, size_t *len) {
    return donjon_subject_explain(subject, asked->mode, asked->permissions.bytes, asked->permissions.len, asked->instance.bytes, asked->instance.len, out, MAX_OUT, len);
}

static int32_t decide(const donjon_subject *subject, const question *asked) {
    slice instance = asked->instance, first = asked->first;
    if (!asked->is_one) {
        return donjon_subject_check(subject, asked->mode, asked->permissions.bytes, asked->permissions.len, instance.bytes, instance.len);
    }
    return first.bytes == NULL ? DONJON_INVALID_ARGUMENT : donjon_subject_has(subject, first.bytes, first.len, instance.bytes, instance.len);
}

static int32_t rbac_check(call *call, uint8_t *out) {
    question asked = question_of(call);
    int32_t status;
    donjon_subject *subject = subject_of(call, &status);
    if (subject != NULL) {
        size_t len = 0;
        status = decide(subject, &asked);
        put(call, "allowed", json_boolean(status == DONJON_OK));
        if (status == DONJON_OK || status == DONJON_PERMISSION_DENIED) {
            status = explain(subject, &asked, out, &len);
            json_t *explanation = json_loadb((char *)out, len, JSON_ALLOW_NUL, NULL);
            json_object_set(call->answer, "reason", json_object_get(explanation, "reason"));
            json_decref(explanation);
        }
    }
    donjon_subject_free(subject);
    return status;
}

static int32_t rbac_explain(call *call, uint8_t *out) {
    question asked = question_of(call);
    int32_t status;
    donjon_subject *subject = subject_of(call, &status);
    if (subject != NULL) {
        size_t len = 0;
        status = explain(subject, &asked, out, &len);
        if (status == DONJON_OK) {
            put_json(call, "explanation", out, len);
        }
    }
    donjon_subject_free(subject);
    return status;
}

static int32_t what_can(call *call, uint8_t *out) {
    int32_t status;
    donjon_subject *subject = subject_of(call, &status);
    if (subject != NULL) {
        size_t len = 0;
        status = donjon_subject_permissions(subject, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put_json(call, "permissions", out, len);
        }
    }
    donjon_subject_free(subject);
    return status;
}

static int32_t has_role(call *call) {
    slice role = text(call, "role");
    int32_t status;
    donjon_subject *subject = subject_of(call, &status);
    if (subject != NULL) {
        status = donjon_subject_has_role(subject, role.bytes, role.len);
        put(call, "has", json_boolean(status == DONJON_OK));
        status = status == DONJON_PERMISSION_DENIED ? DONJON_OK : status;
    }
    donjon_subject_free(subject);
    return status;
}

/* What is asked of a policy, and how it says it. */
typedef int32_t (*view)(const donjon_policy *policy, call *call, uint8_t *out);

static int32_t of_policy(call *call, uint8_t *out, view view) {
    int32_t status;
    donjon_policy *policy = policy_of(call, "policy", &status);
    if (policy != NULL) {
        status = view(policy, call, out);
    }
    donjon_policy_free(policy);
    return status;
}

static int32_t who_can(const donjon_policy *policy, call *call, uint8_t *out) {
    slice permission = text(call, "permission");
    size_t len = 0;
    int32_t status = donjon_policy_who_can(policy, permission.bytes, permission.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put_json(call, "roles", out, len);
    }
    return status;
}

static int32_t check_permission(const donjon_policy *policy, call *call, uint8_t *out) {
    (void)out;
    slice permission = text(call, "permission");
    return donjon_policy_check_permission(policy, permission.bytes, permission.len);
}

static int32_t check_role(const donjon_policy *policy, call *call, uint8_t *out) {
    (void)out;
    slice role = text(call, "role");
    return donjon_policy_check_role(policy, role.bytes, role.len);
}

static int32_t policy_assign(const donjon_policy *policy, call *call, uint8_t *out) {
    (void)out;
    slice roles = member(call, "roles"), role = text(call, "role");
    return donjon_policy_assign(policy, roles.bytes, roles.len, role.bytes, role.len, (uint64_t)integer(call, "members"));
}

static int32_t policy_document(const donjon_policy *policy, call *call, uint8_t *out) {
    size_t len = 0;
    uint8_t digest[32];
    int32_t status = donjon_policy_document(policy, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put(call, "document", json_stringn((char *)out, len));
        CHECK_STATUS(donjon_policy_digest(policy, digest, sizeof digest, &len), DONJON_OK);
        put(call, "digest_hex", to_hex(digest, len));
    }
    return status;
}

static int32_t policy_lint(const donjon_policy *policy, call *call, uint8_t *out) {
    size_t len = 0, index;
    int32_t status = donjon_policy_lint(policy, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        json_t *doubts = json_loadb((char *)out, len, 0, NULL), *doubt, *places = json_array();
        json_array_foreach(doubts, index, doubt) {
            json_object_del(doubt, "message");
            json_array_append(places, doubt);
        }
        put(call, "findings", places);
        json_decref(doubts);
    }
    return status;
}

static int32_t policy_matrix(const donjon_policy *policy, call *call, uint8_t *out) {
    static const char *const FORMATS[] = {"json", "markdown", "html"};
    slice format = text(call, "format");
    size_t len = 0;
    for (uint32_t i = DONJON_MATRIX_JSON; i <= DONJON_MATRIX_HTML; i++) {
        if (strcmp(FORMATS[i], (const char *)format.bytes) == 0) {
            int32_t status = donjon_policy_matrix(policy, i, out, MAX_OUT, &len);
            if (status == DONJON_OK && i == DONJON_MATRIX_JSON) {
                put_json(call, "matrix", out, len);
            } else if (status == DONJON_OK) {
                put(call, "matrix", json_stringn((char *)out, len));
            }
            return status;
        }
    }
    call->bad = 1;
    return DONJON_OK;
}

static int32_t policy_diff(call *call, uint8_t *out) {
    int32_t status, other;
    size_t len = 0;
    donjon_policy *before = policy_of(call, "before", &status), *after = policy_of(call, "after", &other);
    if (before != NULL && after != NULL) {
        status = donjon_policy_diff(before, after, out, MAX_OUT, &len);
        if (status == DONJON_OK) {
            put_json(call, "diff", out, len);
        }
    }
    donjon_policy_free(before);
    donjon_policy_free(after);
    return status == DONJON_OK ? other : status;
}

static int32_t policy_shipped(call *call, uint8_t *out) {
    slice name = text(call, "name");
    size_t len = 0;
    donjon_policy *policy = NULL;
    int32_t status = donjon_policy_shipped(name.bytes, name.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        CHECK_STATUS(donjon_policy_new(out, len, &policy), DONJON_OK);
        status = policy_document(policy, call, out);
    }
    donjon_policy_free(policy);
    return status;
}

static int32_t policy_diagnose(call *call, uint8_t *out) {
    slice document = text(call, "document");
    size_t len = 0;
    int32_t status = donjon_policy_diagnose(document.bytes, document.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        json_t *diagnosis = json_loadb((char *)out, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL), *error = json_object_get(diagnosis, "error");
        put(call, "status", error == NULL ? json_string("ok") : json_incref(error));
        put(call, "path", error == NULL ? json_null() : json_incref(json_object_get(diagnosis, "path")));
        put(call, "message", error == NULL ? json_null() : json_incref(json_object_get(diagnosis, "message")));
        json_decref(diagnosis);
    }
    return status;
}

static int32_t casbin_import(call *call, uint8_t *out) {
    slice csv = text(call, "csv");
    size_t len = 0;
    int32_t status = donjon_policy_import_casbin(csv.bytes, csv.len, out, MAX_OUT, &len);
    if (status == DONJON_OK) {
        put_json(call, "imported", out, len);
    }
    return status;
}
