"""How registries of earlier versions are brought up to date."""
