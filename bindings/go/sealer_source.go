package donjon

import "github.com/donjon-security/donjon/bindings/go/internal/abi"

// NewSealer makes a sealer of keys, which need a primary key for
// [PurposeEnvelope]. New envelopes are of the primary key, others open with the
// key that they name and no other.
func NewSealer(keys *Keyring) (*Sealer, error) {
	k, err := keys.borrow()
	if err != nil {
		return nil, err
	}
	defer keys.handle.giveBack()
	object, status := abi.NewSealer(k)
	err = accepted(status, func() ([]byte, int32) { return abi.SealerDiagnose(k) })
	if err != nil {
		return nil, err
	}
	return newSealer(object, abi.StatusOK)
}

// PassphraseOptions are the parameters of Argon2id for new envelopes, which say
// themselves what they were made with. What is zero is the default: 256 MiB, 3
// passes, 1 lane.
type PassphraseOptions struct {
	MemoryKiB, TimeCost, Parallelism uint32
}

// SealerFromPassphrase makes a sealer of a passphrase, any bytes but none. To seal
// and to open costs an Argon2id each time, in the memory that the options or the
// envelope ask for: at most 1 GiB, beyond which is [ErrParamsOutOfBounds]. A nil
// opts means the defaults.
func SealerFromPassphrase(passphrase []byte, opts *PassphraseOptions) (*Sealer, error) {
	if opts == nil {
		opts = new(PassphraseOptions)
	}
	return newSealer(abi.SealerFromPassphrase(abi.Text(passphrase), opts.MemoryKiB, opts.TimeCost, opts.Parallelism))
}

// An ExternalKey is a data key in the clear, and as a KMS or HSM wrapped it. Logs
// and [fmt] do not show it, and to marshal it is an error; for unexported fields,
// see [EncryptedString].
type ExternalKey struct {
	hidden

	DataKey []byte // 32 bytes; to be cleared when done
	KeyID   string // of the key that wraps it, as new envelopes name it
	Wrapped []byte // whatever unwraps it
}

// SealerFromExternal makes a sealer of a data key that a KMS or HSM wraps: all its
// envelopes are sealed under this data key, and it opens no others. See
// [SealerFromProvider], which asks the KMS.
func SealerFromExternal(key ExternalKey) (*Sealer, error) {
	return newSealer(abi.SealerFromExternal(abi.Text(key.DataKey), key.KeyID, abi.Text(key.Wrapped)))
}

// GenerateExternalKey returns the 32 random bytes of a new data key, for a KMS that
// wraps keys but makes none.
func GenerateExternalKey() ([]byte, error) {
	key, status := abi.ExternalKeyGenerate()
	return key, failure(status)
}

func newSealer(object abi.Sealer, status int32) (*Sealer, error) {
	if err := failure(status); err != nil {
		return nil, err
	}
	s := new(Sealer)
	if err := s.adopt(object); err != nil {
		return nil, err
	}
	return s, nil
}

// Close releases the keys. It returns nil, always.
func (s *Sealer) Close() error {
	if s != nil {
		s.handle.close()
	}
	return nil
}
