// Package shim answers the requests of the conformance shim, which
// tests/shims/README.md describes.
package shim

// An operation reads its request, and then returns what carries it out.
type operation func(r *request) (run func(a *answer) error)

var operations = map[string]operation{
	"jws_verify":              jwsVerify,
	"token_verify":            tokenVerify,
	"token_sign":              tokenSign,
	"jwks_parse":              jwksParse,
	"purpose_mint":            purposeMint,
	"purpose_check":           purposeCheck,
	"refresh_rotate":          refreshRotate,
	"revocation_check":        revocationCheck,
	"jwks_refresh":            jwksRefresh,
	"password_hash":           passwordHash,
	"password_verify":         passwordVerify,
	"password_unknown_user":   passwordUnknownUser,
	"password_needs_rehash":   passwordNeedsRehash,
	"password_strength":       passwordStrength,
	"breach_prefix":           breachPrefix,
	"breach_count":            breachCount,
	"permission_implies":      permissionImplies,
	"rbac_check":              rbacCheck,
	"rbac_explain":            rbacExplain,
	"what_can":                whatCan,
	"who_can":                 whoCan,
	"has_role":                hasRole,
	"check_permission":        checkPermission,
	"check_role":              checkRole,
	"policy_assign":           policyAssign,
	"policy_document":         policyDocument,
	"policy_shipped":          policyShipped,
	"policy_diagnose":         policyDiagnose,
	"policy_diff":             policyDiff,
	"policy_lint":             policyLint,
	"policy_matrix":           policyMatrix,
	"casbin_import":           casbinImport,
	"chunked_seal":            chunkedSeal,
	"chunked_open":            chunkedOpen,
	"envelope_seal":           envelopeSeal,
	"envelope_open":           envelopeOpen,
	"envelope_rewrap":         envelopeRewrap,
	"envelope_needs_rewrap":   envelopeNeedsRewrap,
	"envelope_inspect":        envelopeInspect,
	"passphrase_seal":         passphraseSeal,
	"passphrase_open":         passphraseOpen,
	"external_seal":           externalSeal,
	"external_open":           externalOpen,
	"data_key_new":            dataKeyNew,
	"data_key_rewrap":         dataKeyRewrap,
	"cell_seal":               cellSeal,
	"cell_open":               cellOpen,
	"stream_seal":             streamSeal,
	"stream_open":             streamOpen,
	"reader_read":             readerRead,
	"blind_index":             blindIndex,
	"setting_seal":            settingSeal,
	"setting_open":            settingOpen,
	"erasure":                 erasure,
	"fernet_encrypt":          fernetEncrypt,
	"fernet_decrypt":          fernetDecrypt,
	"fernet_rotate":           fernetRotate,
	"fernet_timestamp":        fernetTimestamp,
	"fernet_derive_key":       fernetDeriveKey,
	"aes_engine_open":         aesEngineOpen,
	"limit_parse":             limitParse,
	"limit_apply":             limitApply,
	"limits_describe":         limitsDescribe,
	"limits_diagnose":         limitsDiagnose,
	"limits_spend":            limitsSpend,
	"limits_give_back":        limitsGiveBack,
	"limits_headers":          limitsHeaders,
	"limits_refusal":          limitsRefusal,
	"limits_script":           limitsScript,
	"limits_script_args":      limitsScriptArgs,
	"compare_and_set_script":  compareAndSetScript,
	"limit_profiles":          limitProfiles,
	"lockout_counters":        lockoutCounters,
	"lockout_device_token":    lockoutDeviceToken,
	"client_ip":               clientIP,
	"session_diagnose":        sessionDiagnose,
	"session_keys":            sessionKeys,
	"session_key":             sessionKey,
	"session_create":          sessionCreate,
	"session_check":           sessionCheck,
	"session_rotate":          sessionRotate,
	"session_begin_family":    sessionBeginFamily,
	"session_refresh":         sessionRefresh,
	"session_list":            sessionList,
	"session_revoke":          sessionRevoke,
	"session_csrf_token":      sessionCSRFToken,
	"session_check_request":   sessionCheckRequest,
	"session_cookie":          sessionCookie,
	"session_csrf_cookie":     sessionCSRFCookie,
	"session_read_cookie":     sessionReadCookie,
	"revocation_keys":         revocationKeys,
	"revocation_record_check": revocationRecordCheck,
	"revocation_issue_since":  revocationIssueSince,
	"revocation_key":          revocationKey,
	"revocation_revoke":       revocationRevoke,
	"store_marker":            storeMarker,
	"revocation_set_sign":     revocationSetSign,
	"revocation_set_open":     revocationSetOpen,
	"revocation_set_info":     revocationSetInfo,
	"revocation_set_check":    revocationSetCheck,
}

// Dispatch answers one line, without the line feed.
func Dispatch(line []byte) []byte {
	r, err := parse(line)
	if err != nil {
		return refusal("null", err)
	}
	id := "null"
	if raw, ok := r.members["id"]; ok {
		id = string(raw)
	}
	var a answer
	a.raw("id", id)
	a.bool("ok", true)
	if err := r.carryOut(&a); err != nil {
		return refusal(id, err)
	}
	return a.end()
}

func (r *request) carryOut(a *answer) error {
	op := r.text("op")
	if r.err != nil {
		return r.err
	}
	operation, ok := operations[op]
	if !ok {
		return errUnsupportedOp
	}
	run := operation(r)
	if r.err != nil {
		return r.err
	}
	return run(a)
}
