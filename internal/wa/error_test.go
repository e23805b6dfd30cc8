package wa_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row     *wa.Error
		code    int
		subcode int
		http    int
		message string
		family  wa.Family
	}{
		{wa.ErrTokenRequired, 104, 0, 400, "An access token is required to request this resource.", wa.FamilyGraph},
		{wa.ErrToken, 190, 0, 401, "Invalid OAuth access token - Cannot parse access token", wa.FamilyGraph},
		{wa.ErrTokenExpired, 190, 463, 401, "Error validating access token: Session has expired", wa.FamilyGraph},
		{wa.ErrInvalidParameter, 100, 0, 400, "(#100) Invalid parameter", wa.FamilyGraph},
		{wa.ErrCloudParameter, 100, 0, 400, "(#100) Invalid parameter", wa.FamilyCloud},
		{wa.ErrParamRequired.Fill("messaging_product"), 100, 0, 400, "(#100) The parameter messaging_product is required.", wa.FamilyGraph},
		{wa.ErrUnsupportedRequest.Fill("get", "12"), 100, 33, 400, "Unsupported get request. Object with ID '12' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api", wa.FamilyGraph},
		{wa.ErrService, 2, 0, 503, "(#2) API Service", wa.FamilyCloud},
		{wa.ErrUnknown, 1, 0, 500, "An unknown error occurred", wa.FamilyManagement},
		{wa.ErrBlockedByBusiness, 130403, 0, 403, "(#130403) User is blocked by the business", wa.FamilyCloud},
		{wa.ErrThroughput, 130429, 0, 400, "(#130429) Rate limit hit", wa.FamilyCloud},
		{wa.ErrPairRate, 131056, 0, 400, "(#131056) (Business Account, Consumer Account) pair rate limit hit", wa.FamilyCloud},
		{wa.ErrMaintenance, 131057, 0, 500, "(#131057) Account in maintenance mode", wa.FamilyCloud},
		{wa.ErrTemplateMissing, 132001, 0, 404, "(#132001) Template name does not exist in the translation", wa.FamilyCloud},
		{wa.ErrWABALimit, 80007, 0, 400, "(#80007) Rate limit issues", wa.FamilyCloud},
		{wa.ErrTemplateName, 100, 2388046, 400, "Invalid parameter", wa.FamilyManagement},
		{wa.ErrCallback.Fill("HTTP Status Code = 404; HTTP Message = Not Found"), 2200, 0, 400, "(#2200) Callback verification failed with the following errors: HTTP Status Code = 404; HTTP Message = Not Found", wa.FamilyGraph},
	} {
		e := c.row
		if e.Code != c.code || e.Subcode != c.subcode || e.HTTP != c.http || e.Message() != c.message || e.Family != c.family {
			t.Errorf("%s is %d/%d HTTP %d family %d %q", e.Name, e.Code, e.Subcode, e.HTTP, e.Family, e.Message())
		}
	}
}

func TestCopiesLeaveTheRowAlone(t *testing.T) {
	t.Parallel()
	before := *wa.ErrTemplateExists
	e := wa.ErrTemplateExists.FillMsg("Japanese").With("d").Titled("x %d", 1).Blaming("name").Retry(2).Because(io.EOF)
	if e.UserMsg != "There is already Japanese content for this template. You can create a new template and try again." {
		t.Errorf("user message %q", e.UserMsg)
	}
	if e.Title != "x 1" || e.Details != "d" || e.RetryIn != 2 || e.Blame[0][0] != "name" {
		t.Errorf("copy is %+v", e)
	}
	if !errors.Is(e, wa.ErrTemplateExists) || !errors.Is(e, io.EOF) || errors.Is(e, wa.ErrTemplateName) {
		t.Error("identity is code and subcode, and the cause is kept")
	}
	if now := *wa.ErrTemplateExists; now.Title != before.Title || now.UserMsg != before.UserMsg || len(now.Blame) != 0 || now.Details != "" {
		t.Errorf("the row changed: %+v", now)
	}
}

func TestByCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, subcode int
		want          *wa.Error
	}{
		{131056, 0, wa.ErrPairRate},
		{190, 463, wa.ErrTokenExpired},
		{190, 0, wa.ErrToken},
		{100, 0, wa.ErrInvalidParameter},
		{100, 33, wa.ErrUnsupportedRequest},
		{131030, 2655007, wa.ErrNotAllowed},
	} {
		if got, ok := wa.ByCode(c.code, c.subcode); !ok || got != c.want {
			t.Errorf("%d/%d is %v", c.code, c.subcode, got)
		}
	}
	if e, ok := wa.ByCode(424242, 0); ok {
		t.Errorf("unknown code is %v", e)
	}
}

func TestEveryRowCanBeRaisedSomewhereOrHasNoName(t *testing.T) {
	t.Parallel()
	for _, e := range wa.All() {
		if (e.Name == "") != (e.Channels == "") {
			t.Errorf("%d/%d: name %q, channels %q", e.Code, e.Subcode, e.Name, e.Channels)
		}
		if e.Channels.Has('F') && e.Title == "" || strings.Contains(e.Details, "%") {
			t.Errorf("%s: title %q, details %q", e.Name, e.Title, e.Details)
		}
	}
}
