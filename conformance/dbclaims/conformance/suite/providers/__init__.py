"""What every provider must do, and what it must do if it declares a feature."""
