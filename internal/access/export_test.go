package access

// TokenChars is the length of an issued token.
const TokenChars = tokenChars

// Inspect names what the text of a token is.
func (s *Service) Inspect(token string) string {
	return [...]string{"garbage", "malformed", "forged", "genuine"}[s.keys.inspect(token)]
}
