package donjon

import (
	"fmt"
	"strings"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// sealedPrefix is what a sealed setting begins with, and no other.
const sealedPrefix = "sealed:"

// SealSetting returns the value of a setting as a text for the environment or a
// configuration file, "sealed:…", which opens under the same name only. It needs
// a primary key for [PurposeSettings].
func (k *Keyring) SealSetting(name, value string) (string, error) {
	return k.SealSettingAt(name, value, time.Now())
}

// SealSettingAt is [Keyring.SealSetting] at another time, when the key must still
// be good.
func (k *Keyring) SealSettingAt(name, value string, now time.Time) (string, error) {
	return k.setting(name, value, now, abi.Keyring.SettingSeal)
}

// OpenSetting returns the value of a sealed setting. A text that is not sealed is
// [ErrMalformed], so that nobody can put one in place of a sealed one unnoticed.
func (k *Keyring) OpenSetting(name, text string) (string, error) {
	return k.OpenSettingAt(name, text, time.Now())
}

// OpenSettingAt is [Keyring.OpenSetting] at another time, when the key must still be
// good.
func (k *Keyring) OpenSettingAt(name, text string, now time.Time) (string, error) {
	return k.setting(name, text, now, abi.Keyring.SettingOpen)
}

// OpenSettings returns settings with the values of those that are sealed, and the
// others as they are. One that does not open is an error that names it.
func (k *Keyring) OpenSettings(settings map[string]string) (map[string]string, error) {
	opened := make(map[string]string, len(settings))
	for name, text := range settings {
		if strings.HasPrefix(text, sealedPrefix) {
			value, err := k.OpenSetting(name, text)
			if err != nil {
				return nil, fmt.Errorf("setting %s: %w", name, err)
			}
			text = value
		}
		opened[name] = text
	}
	return opened, nil
}

func (k *Keyring) setting(name, text string, now time.Time, call func(k abi.Keyring, name, text string, now int64) (string, int32)) (string, error) {
	if now.IsZero() {
		return "", ErrInvalidArgument
	}
	keys, err := k.borrow()
	if err != nil {
		return "", err
	}
	defer k.handle.giveBack()
	done, status := call(keys, name, text, now.Unix())
	return done, failure(status)
}
