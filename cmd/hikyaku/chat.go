package main

type chatCmd struct{}
