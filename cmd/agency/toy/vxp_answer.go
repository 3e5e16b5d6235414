package toy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// vxpSystemError is the code of a Problem that may pass by itself: 20, system error.
const vxpSystemError = "vxp_20"

// vxpObject is a JSON object as the SDK's library sees it: names are case-sensitive, and what is a number may be text.
type vxpObject map[string]any

// readVXP reads an answer: FAIL is a *Problem with the code "vxp_<ErrorCode>"; anything that would make the SDK lose the
// whole answer is ErrUnreadable, such as a null, or nothing at all. also are the fields that must be there in either case.
func readVXP(res *http.Response, b []byte, also ...string) (vxpObject, error) {
	o, err := parseVXP(b)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, res.Status)
	}
	code, err := o.text("ErrorCode")
	status, err2 := o.text("status")
	desc, err3 := o.text("ErrorDesc")
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	for _, name := range also {
		if _, ok := o[name]; !ok {
			return nil, fmt.Errorf("%w: no %s with ErrorCode %s", ErrUnreadable, name, code)
		}
	}
	switch {
	case code == "0" && status == "OK":
		return o, nil
	case code == "" || code == "0" || status != "FAIL":
		return nil, fmt.Errorf("%w: status %q with ErrorCode %q", ErrUnreadable, status, code)
	}
	return o, &Problem{Status: res.StatusCode, Code: "vxp_" + code, VI: desc, EN: desc,
		RetryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now())}
}

func parseVXP(b []byte) (vxpObject, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var o vxpObject
	if err := d.Decode(&o); err != nil || o == nil {
		return nil, fmt.Errorf("%w: no JSON object: %.60q", ErrUnreadable, b)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows the JSON object", ErrUnreadable)
	}
	if null(map[string]any(o)) {
		return nil, fmt.Errorf("%w: a null, for which the SDK loses the whole answer", ErrUnreadable)
	}
	return o, nil
}

// null says whether a null is anywhere in it.
func null(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, null)
	case map[string]any:
		for _, x := range v {
			if null(x) {
				return true
			}
		}
	}
	return false
}

// text gives a field as the SDK's getAsString does; one that is not there is "".
func (o vxpObject) text(name string) (string, error) {
	switch v := o[name].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("%w: %s is no text", ErrUnreadable, name)
}

// texts reads several fields, each to its place.
func (o vxpObject) texts(places map[string]*string) error {
	for name, place := range places {
		text, err := o.text(name)
		if err != nil {
			return err
		}
		*place = text
	}
	return nil
}

// number gives a field that is a number or its text; one that is not there is 0.
func (o vxpObject) number(name string) (int, error) {
	text, err := o.text(name)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%w: %s is no number", ErrUnreadable, name)
	}
	return n, nil
}

// list gives the objects of data.
func (o vxpObject) list() ([]vxpObject, error) {
	all, ok := o["data"].([]any)
	if !ok {
		return nil, fmt.Errorf("%w: data is no list", ErrUnreadable)
	}
	out := make([]vxpObject, len(all))
	for i, one := range all {
		object, ok := one.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: data holds something that is no object", ErrUnreadable)
		}
		out[i] = object
	}
	return out, nil
}

// ascii makes an error of what the SDK would read as question marks.
func ascii(b []byte) error {
	if i := slices.IndexFunc(b, func(c byte) bool { return c >= 0x80 }); i >= 0 {
		return fmt.Errorf("%w: not ASCII from byte %d on", ErrUnreadable, i)
	}
	return nil
}
