require 'json'
puts JSON.generate([1])
