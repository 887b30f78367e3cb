package donjon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// fetch gets the key set: bounded in size and time, from this URL and no other.
func (o *JWKSOptions) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")

	client := http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	var quoting *url.Error // which quotes the URL
	if errors.As(err, &quoting) {
		err = quoting.Err
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("donjon: key set answered with status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, o.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > o.MaxBytes {
		return nil, ErrTooLarge
	}
	return body, nil
}

// host is what a log may have of the URL: the rest can be a secret.
func (o *JWKSOptions) host() string { return hostOf(o.URL) }
