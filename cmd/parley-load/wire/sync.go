package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// syncWithin is how long a device waits for one page of a sync.
const syncWithin = 30 * time.Second

// maxPage is the most of one page that is read: the server ends it at about 1 MiB
// of bodies.
const maxPage = 16 << 20

// sync fetches what lies between the cursor and the present, and has the server
// stream on from there.
func (d *Device) sync() error {
	d.gaps.Add(1)
	for more := true; more; {
		page, err := d.page()
		if err != nil {
			return fmt.Errorf("syncing: %w", err)
		}
		err = EachEvent(page.Entries, func(e *Event) error {
			d.watch.Heard(e)
			return nil
		})
		if err != nil {
			return fmt.Errorf("syncing: %w", err)
		}
		d.move([]byte(page.Cursor))
		more = page.More
	}
	d.resuming = true
	return d.socket.Send(fmt.Appendf(nil, `{"type":"resume","cursor":%q}`, d.cursor))
}

// page is an answer of GET /api/sync.
type page struct {
	Entries json.RawMessage `json:"entries"`
	Cursor  string          `json:"cursor"`
	More    bool            `json:"more"`
}

func (d *Device) page() (p page, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), syncWithin)
	defer cancel()
	target := "http://" + d.addr + "/api/sync?after=" + url.QueryEscape(string(d.cursor))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return p, err
	}
	request.Header.Set("Authorization", "Bearer "+d.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return p, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	switch {
	case err != nil:
		return p, err
	case answer.StatusCode != http.StatusOK:
		return p, fmt.Errorf("answered %s %.200s", answer.Status, text)
	}
	return p, json.Unmarshal(text, &p)
}
