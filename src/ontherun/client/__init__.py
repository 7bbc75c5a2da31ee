"""The SDK: asyncio and blocking, for ontherun and for the real exchange."""
