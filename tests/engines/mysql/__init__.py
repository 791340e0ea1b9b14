"""Tests of the engine `mysql`, on real MySQL and MariaDB servers."""
