package abi

// #include <donjon.h>
import "C"

// SettingSeal is donjon_setting_seal.
func (k Keyring) SettingSeal(name, value string, now int64) (string, int32) {
	np, nn := in(name)
	vp, vn := in(value)
	text, status := filled(2*len(value)+answerSize, func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_setting_seal(k.p, np, nn, vp, vn, C.int64_t(now), out, size, written)
	})
	return Text(text), status
}

// SettingOpen is donjon_setting_open.
func (k Keyring) SettingOpen(name, text string, now int64) (string, int32) {
	np, nn := in(name)
	tp, tn := in(text)
	value, status := filled(len(text), func(out *C.uint8_t, size C.size_t, written *C.size_t) C.int32_t {
		return C.donjon_setting_open(k.p, np, nn, tp, tn, C.int64_t(now), out, size, written)
	})
	return Text(value), status
}
