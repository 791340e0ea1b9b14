"""glua: the Lua that Argo CD itself runs health checks with."""
