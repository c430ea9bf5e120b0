"""What strangers may send, tried by the billion: README.md."""
