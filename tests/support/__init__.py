"""What several rooms' tests share: real processes, and a client that is not the SDK."""
