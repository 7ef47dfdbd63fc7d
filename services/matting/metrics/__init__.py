"""How far a matte is from the true one, and how much it flickers."""
