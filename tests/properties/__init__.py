"""What every public function does with arguments of all kinds, by Hypothesis."""
