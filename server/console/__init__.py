"""What whoever runs the server does from a shell."""
