package toy

import (
	"bytes"
	"encoding/json"
)

// Cursor is where the next page of a list begins; "" ends the list. Pass it back as it came.
type Cursor string

// UnmarshalJSON takes a string, a number or null: a client need not care how a server writes its cursors.
// The number 0 and null are the end of the list.
func (c *Cursor) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(c))
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	if *c = Cursor(n); n == "0" {
		*c = ""
	}
	return nil
}
