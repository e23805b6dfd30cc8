// A module of its own: it needs the SDK of other people that it tries, which the platform does not.
module github.com/hikyaku/hikyaku/test/sdk/testdata/golang

go 1.26

require github.com/piusalfred/whatsapp v0.1.12
