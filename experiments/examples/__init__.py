"""Programs that use the library as a part of something larger."""
